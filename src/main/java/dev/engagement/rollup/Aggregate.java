package dev.engagement.rollup;

import dev.engagement.event.types.Wire;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import org.jspecify.annotations.Nullable;

/**
 * What is known of the events of one pane of one cell. What it says depends on which events were added, not on their
 * order. Mutable.
 */
final class Aggregate {

    private static final long[] NO_NUMBERS = {};
    private static final BigDecimal[] NO_DECIMALS = {};
    private static final UserSet[] NO_USERS = {};
    private static final UserSet NOBODY = new UserSet();

    long events;

    /** Values that no measure could use. */
    long skipped;

    /** Of each slot of that kind: a count, milliseconds, or the short part of a sum. */
    private final long[] numbers;

    /** Of each slot of that kind: the rest of a sum, the least or the greatest; null is none. */
    private final @Nullable BigDecimal[] decimals;

    /** Of each slot of that kind; null is nobody. */
    private final @Nullable UserSet[] users;

    /** How many slots of each kind an aggregate of a rollup has. */
    record Slots(int numbers, int decimals, int users) {}

    Aggregate(Slots slots) {
        // There are many of them: what a rollup does not ask for takes no room.
        numbers = slots.numbers() == 0 ? NO_NUMBERS : new long[slots.numbers()];
        decimals = slots.decimals() == 0 ? NO_DECIMALS : new BigDecimal[slots.decimals()];
        users = slots.users() == 0 ? NO_USERS : new UserSet[slots.users()];
    }

    long number(int slot) {
        return numbers[slot];
    }

    @Nullable
    BigDecimal decimal(int slot) {
        return decimals[slot];
    }

    /** How many users, whom an aggregate has events of. */
    long countUsers(int slot) {
        UserSet set = users[slot];
        return set == null ? 0 : set.count(events);
    }

    /** Whether their number is a count. */
    boolean countsUsersExactly(int slot) {
        UserSet set = users[slot];
        return set == null || set.isExact();
    }

    /** Adds a user by the hash of the id. */
    void addUser(int slot, long hash) {
        UserSet set = users[slot];
        if (set == null) {
            set = new UserSet();
            users[slot] = set;
        }
        set.add(hash);
    }

    void addNumber(int slot, long value) {
        numbers[slot] = Math.addExact(numbers[slot], value);
    }

    /** Adds a number of few digits to a sum: see {@link PlainDecimal#shortOf}. */
    void addShort(int slot, int restSlot, long unscaled) {
        long before = numbers[slot];
        long sum = before + unscaled;
        if (((before ^ sum) & (unscaled ^ sum)) < 0) {
            addDecimal(restSlot, PlainDecimal.ofShort(before));
            sum = unscaled;
        }
        numbers[slot] = sum;
    }

    void addDecimal(int slot, BigDecimal value) {
        BigDecimal before = decimals[slot];
        decimals[slot] = before == null ? value : before.add(value);
    }

    void lower(int slot, BigDecimal value) {
        BigDecimal before = decimals[slot];
        decimals[slot] = before == null ? value : before.min(value);
    }

    void raise(int slot, BigDecimal value) {
        BigDecimal before = decimals[slot];
        decimals[slot] = before == null ? value : before.max(value);
    }

    /** Adds the events of another one of the same rollup, which stays as it is. */
    void merge(Aggregate other, CompiledRollup rollup) {
        events += other.events;
        skipped += other.skipped;
        for (CompiledMeasure measure : rollup.measures()) {
            measure.merge(this, other);
        }
        for (int i = 0; i < users.length; i++) {
            UserSet more = other.users[i];
            UserSet set = users[i];
            if (set == null) {
                users[i] = more == null ? null : more.copy();
            } else if (more != null) {
                set.addAll(more);
            }
        }
    }

    /** About how much memory it takes. */
    int estimatedBytes() {
        int bytes = 96 + 8 * numbers.length + 64 * decimals.length;
        for (UserSet set : users) {
            bytes += set == null ? 0 : set.estimatedBytes();
        }
        return bytes;
    }

    void write(DataOutput out) throws IOException {
        Wire.writeUnsigned(events, out);
        Wire.writeUnsigned(skipped, out);
        Wire.writeUnsigned(numbers.length, out);
        Wire.writeUnsigned(decimals.length, out);
        Wire.writeUnsigned(users.length, out);
        for (long number : numbers) {
            Wire.writeUnsigned(number << 1 ^ number >> 63, out);
        }
        for (BigDecimal decimal : decimals) {
            Wire.writeBytes(decimal == null ? null : decimal.unscaledValue().toByteArray(), out);
            if (decimal != null) {
                out.writeInt(decimal.scale());
            }
        }
        for (UserSet set : users) {
            (set == null ? NOBODY : set).write(out);
        }
    }

    static Aggregate read(DataInput in) throws IOException {
        long events = Wire.readUnsigned(in);
        long skipped = Wire.readUnsigned(in);
        Aggregate read = new Aggregate(
                new Slots((int) Wire.readUnsigned(in), (int) Wire.readUnsigned(in), (int) Wire.readUnsigned(in)));
        read.events = events;
        read.skipped = skipped;
        for (int i = 0; i < read.numbers.length; i++) {
            long folded = Wire.readUnsigned(in);
            read.numbers[i] = folded >>> 1 ^ -(folded & 1);
        }
        for (int i = 0; i < read.decimals.length; i++) {
            byte[] unscaled = Wire.readBytes(in);
            read.decimals[i] = unscaled == null ? null : new BigDecimal(new BigInteger(unscaled), in.readInt());
        }
        for (int i = 0; i < read.users.length; i++) {
            UserSet set = UserSet.read(in);
            read.users[i] = set.isEmpty() ? null : set;
        }
        return read;
    }
}
