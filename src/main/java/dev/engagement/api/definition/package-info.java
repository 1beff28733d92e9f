/**
 * What the API is: its operations, their parameters, the fields of their answers; and what is made of that one
 * definition, so that no two of them can disagree: the check of every parameter, the OpenAPI document, the
 * documentation page, the GraphQL schema.
 *
 * <p>Enters: texts of a request. Leaves: {@link dev.engagement.api.definition.Parameters}, complete and checked, or one
 * {@link dev.engagement.api.definition.InvalidParameterException} with the way out; documents. Who answers is told by
 * operation id, through {@code api.read}'s {@code Read}.
 *
 * <p>May import: {@code event}'s arithmetic of timestamps and texts, {@code api.read}'s types; Jackson, graphql-java.
 */
@NullMarked
package dev.engagement.api.definition;

import org.jspecify.annotations.NullMarked;
