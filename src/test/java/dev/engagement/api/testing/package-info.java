/** What tests and benchmarks need of the API: stores as the job leaves them. */
@NullMarked
package dev.engagement.api.testing;

import org.jspecify.annotations.NullMarked;
