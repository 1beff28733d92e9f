package dev.engagement.rollup;

import dev.engagement.rollup.definition.Measure;
import java.math.BigDecimal;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** One measure, with its places in an {@link Aggregate}. */
final class CompiledMeasure {

    private static final int NONE = -1;

    private final Measure.Function function;
    private final @Nullable CompiledCondition condition;
    /** The place of the payload's field among {@link PayloadFields}. */
    private final int field;

    private final int number;
    private final int decimal;
    private final int users;

    private CompiledMeasure(
            Measure.Function function,
            @Nullable CompiledCondition condition,
            int field,
            int number,
            int decimal,
            int users) {
        this.function = function;
        this.condition = condition;
        this.field = field;
        this.number = number;
        this.decimal = decimal;
        this.users = users;
    }

    /** Gives places to the measures of a rollup, one after the other. */
    static final class Compiler {
        private final PayloadFields fields;
        private int numbers;
        private int decimals;
        private int users;

        Compiler(PayloadFields fields) {
            this.fields = fields;
        }

        CompiledMeasure compile(Measure measure) {
            boolean number =
                    switch (measure.function()) {
                        case COUNT_IF, SUM_SECONDS, SUM -> true;
                        default -> false;
                    };
            boolean decimal =
                    switch (measure.function()) {
                        case SUM, MIN, MAX -> true;
                        default -> false;
                    };
            boolean counted =
                    switch (measure.function()) {
                        case UNIQUE, UNIQUE_IF -> true;
                        default -> false;
                    };
            return new CompiledMeasure(
                    measure.function(),
                    measure.condition() == null ? null : CompiledCondition.of(measure.condition()),
                    measure.field() == null ? NONE : fields.indexOf(measure.field()),
                    number ? numbers++ : NONE,
                    decimal ? decimals++ : NONE,
                    counted ? users++ : NONE);
        }

        Aggregate.Slots slots() {
            return new Aggregate.Slots(numbers, decimals, users);
        }
    }

    /** Whether it could use what the event has for it. */
    boolean add(EventFacts event, Aggregate to) {
        switch (function) {
            case COUNT -> {
                return true;
            }
            case COUNT_IF -> {
                if (Objects.requireNonNull(condition).holds(event)) {
                    to.addNumber(number, 1);
                }
                return true;
            }
            case SUM_SECONDS -> {
                if (event.hasDuration()) {
                    to.addNumber(number, event.durationMs());
                }
                return true;
            }
            case UNIQUE, UNIQUE_IF -> {
                if (event.hasUser() && (condition == null || condition.holds(event))) {
                    to.addUser(users, event.userHash());
                }
                return true;
            }
            default -> {
                return addNumber(event, to);
            }
        }
    }

    private boolean addNumber(EventFacts event, Aggregate to) {
        PayloadFields.Kind kind = event.payload().kind(field);
        String text = event.payload().text(field);
        boolean number = kind == PayloadFields.Kind.NUMBER;
        if (text == null || !number && kind != PayloadFields.Kind.TEXT) {
            return false;
        }
        if (function == Measure.Function.SUM) {
            long few = PlainDecimal.shortOf(text);
            if (few != PlainDecimal.NOT_SHORT) {
                to.addShort(this.number, decimal, few);
                return true;
            }
        }
        BigDecimal value = number ? PlainDecimal.ofNumber(text) : PlainDecimal.ofText(text);
        if (value == null) {
            return false;
        }
        switch (function) {
            case SUM -> to.addDecimal(decimal, value);
            case MIN -> to.lower(decimal, value);
            default -> to.raise(decimal, value);
        }
        return true;
    }

    /** Everything but the sets of users, which belong to the aggregate. */
    void merge(Aggregate into, Aggregate from) {
        BigDecimal other = decimal == NONE ? null : from.decimal(decimal);
        switch (function) {
            case COUNT_IF, SUM_SECONDS -> into.addNumber(number, from.number(number));
            case SUM -> {
                into.addShort(number, decimal, from.number(number));
                if (other != null) {
                    into.addDecimal(decimal, other);
                }
            }
            case MIN -> {
                if (other != null) {
                    into.lower(decimal, other);
                }
            }
            case MAX -> {
                if (other != null) {
                    into.raise(decimal, other);
                }
            }
            default -> {
                // The number of events, and sets of users.
            }
        }
    }

    boolean countsUsers() {
        return users != NONE;
    }

    boolean isExact(Aggregate of) {
        return users == NONE || of.countsUsersExactly(users);
    }

    /** The value, or null if it is the least or greatest of none. */
    @Nullable
    BigDecimal value(Aggregate of) {
        return switch (function) {
            case COUNT -> BigDecimal.valueOf(of.events);
            case COUNT_IF -> BigDecimal.valueOf(of.number(number));
            case SUM_SECONDS -> shortest(BigDecimal.valueOf(of.number(number), 3));
            case SUM -> {
                BigDecimal sum = PlainDecimal.ofShort(of.number(number));
                BigDecimal rest = of.decimal(decimal);
                yield shortest(rest == null ? sum : sum.add(rest));
            }
            case MIN, MAX -> of.decimal(decimal) == null ? null : shortest(Objects.requireNonNull(of.decimal(decimal)));
            case UNIQUE, UNIQUE_IF -> BigDecimal.valueOf(of.countUsers(users));
        };
    }

    /** Without zeros at the end of a fraction, and without an exponent. */
    private static BigDecimal shortest(BigDecimal value) {
        BigDecimal stripped = value.stripTrailingZeros();
        return stripped.scale() < 0 ? stripped.setScale(0) : stripped;
    }
}
