/**
 * What stands between the network and the answers: who may ask what, how often, how much at once; what every response
 * says to a browser; problems, health, numbers about itself, files.
 *
 * <p>Enters: requests of anybody. Leaves: requests that may be answered, with a clean path and query and a body of a
 * bounded size; or a problem document with the way out, which never shows a stack trace, an address or a secret.
 *
 * <p>May import: {@code connection} for references to secrets; {@code api.definition}, {@code api.read} and
 * {@code api.live} for what they tell; the servlet API, Jetty, Jackson.
 */
@NullMarked
package dev.engagement.api.web;

import org.jspecify.annotations.NullMarked;
