package dev.engagement.writeback;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SlidingHistogramTest {

    @Test
    void quantiles_are_those_of_the_last_values() {
        SlidingHistogram histogram = new SlidingHistogram(100);
        for (int i = 1; i <= 250; i++) {
            histogram.update(i);
        }

        assertThat(histogram.getCount()).isEqualTo(250);
        assertThat(histogram.getStatistics().size()).isEqualTo(100);
        assertThat(histogram.getStatistics().getMin()).isEqualTo(151);
        assertThat(histogram.getStatistics().getMax()).isEqualTo(250);
        assertThat(histogram.getStatistics().getQuantile(0.5)).isEqualTo(200);
        assertThat(histogram.getStatistics().getQuantile(0.99)).isEqualTo(249);
        assertThat(histogram.getStatistics().getMean()).isEqualTo(200.5);
    }

    @Test
    void without_values_everything_is_zero() {
        assertThat(new SlidingHistogram(4).getStatistics().getQuantile(0.99)).isZero();
        assertThat(new SlidingHistogram(4).getStatistics().getMax()).isZero();
        assertThat(new SlidingHistogram(4).getStatistics().getStdDev()).isZero();
    }
}
