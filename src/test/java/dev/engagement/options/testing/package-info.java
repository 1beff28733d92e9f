/** What tests of several rooms need of options. */
@NullMarked
package dev.engagement.options.testing;

import org.jspecify.annotations.NullMarked;
