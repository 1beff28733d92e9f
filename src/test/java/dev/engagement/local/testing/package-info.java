/** Real servers that the integration tests of all rooms share, and tests of that. */
@NullMarked
package dev.engagement.local.testing;

import org.jspecify.annotations.NullMarked;
