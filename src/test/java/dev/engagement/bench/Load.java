package dev.engagement.bench;

import dev.engagement.local.Zipf;
import java.util.Random;
import java.util.function.IntSupplier;

/** How events fall on contents. */
enum Load {
    UNIFORM("uniform"),
    ZIPF("Zipf(1.1)"),
    /** Half of the events on one content, the others uniform. */
    HALF("one takes half");

    private static final double EXPONENT = 1.1;

    final String text;

    Load(String text) {
        this.text = text;
    }

    /** Numbers of contents, the same for the same arguments. */
    int[] draw(int count, int contents, long seed) {
        Random random = new Random(seed);
        IntSupplier next =
                switch (this) {
                    case UNIFORM -> () -> random.nextInt(contents);
                    case ZIPF -> {
                        Zipf zipf = new Zipf(contents, EXPONENT);
                        yield () -> zipf.rank(random.nextDouble());
                    }
                    case HALF -> () -> random.nextBoolean() ? 0 : random.nextInt(contents);
                };
        int[] drawn = new int[count];
        for (int i = 0; i < count; i++) {
            drawn[i] = next.getAsInt();
        }
        return drawn;
    }
}
