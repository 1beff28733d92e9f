package dev.engagement.deploy;

import java.io.IOException;
import java.io.Serial;
import java.io.Serializable;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.common.typeutils.TypeSerializerSchemaCompatibility;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.base.LongSerializer;
import org.apache.flink.api.common.typeutils.base.StringSerializer;
import org.apache.flink.api.common.typeutils.base.TypeSerializerSingleton;
import org.apache.flink.api.connector.source.util.ratelimit.RateLimiterStrategy;
import org.apache.flink.connector.datagen.source.DataGeneratorSource;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.util.Collector;

/** A small job with each kind of state, which can be made again with one thing changed. */
final class MutableJob {

    /** What the operators found in their state when they were started; the tasks run in this JVM. */
    static final Map<String, Found> FOUND = new ConcurrentHashMap<>();

    private MutableJob() {}

    /** @param counted of the first key that came; 0 if there was nothing @param kept whether the keeper had something */
    record Found(long counted, boolean kept) {}

    /** The type of the counter's value. */
    enum Counted {
        LONG,
        TEXT,
        /** A format of one field, with a version in front of the bytes. */
        TALLY,
        /** The same with one field more, which reads the older format. */
        TALLY_WITH_A_FIELD_MORE,
        /** The same with a snapshot that says that old bytes have to be written anew. */
        TALLY_TO_BE_MIGRATED
    }

    /** A job; every {@code with…} changes one thing. */
    record Variant(
            String counterUid,
            String stateName,
            Counted counted,
            boolean asMap,
            boolean textKey,
            boolean keeper,
            boolean unionList,
            boolean anotherState,
            int parallelism,
            int maxParallelism)
            implements Serializable {

        static Variant base(Counted counted) {
            return new Variant("counter", "count", counted, false, false, true, false, false, 2, 4);
        }

        Variant withCounterUid(String uid) {
            return new Variant(
                    uid,
                    stateName,
                    counted,
                    asMap,
                    textKey,
                    keeper,
                    unionList,
                    anotherState,
                    parallelism,
                    maxParallelism);
        }

        Variant withStateName(String name) {
            return new Variant(
                    counterUid,
                    name,
                    counted,
                    asMap,
                    textKey,
                    keeper,
                    unionList,
                    anotherState,
                    parallelism,
                    maxParallelism);
        }

        Variant withCounted(Counted other) {
            return new Variant(
                    counterUid,
                    stateName,
                    other,
                    asMap,
                    textKey,
                    keeper,
                    unionList,
                    anotherState,
                    parallelism,
                    maxParallelism);
        }

        Variant withMap() {
            return new Variant(
                    counterUid,
                    stateName,
                    counted,
                    true,
                    textKey,
                    keeper,
                    unionList,
                    anotherState,
                    parallelism,
                    maxParallelism);
        }

        Variant withTextKey() {
            return new Variant(
                    counterUid,
                    stateName,
                    counted,
                    asMap,
                    true,
                    keeper,
                    unionList,
                    anotherState,
                    parallelism,
                    maxParallelism);
        }

        Variant withoutKeeper() {
            return new Variant(
                    counterUid,
                    stateName,
                    counted,
                    asMap,
                    textKey,
                    false,
                    unionList,
                    anotherState,
                    parallelism,
                    maxParallelism);
        }

        Variant withUnionList() {
            return new Variant(
                    counterUid,
                    stateName,
                    counted,
                    asMap,
                    textKey,
                    keeper,
                    true,
                    anotherState,
                    parallelism,
                    maxParallelism);
        }

        Variant withAnotherState() {
            return new Variant(
                    counterUid,
                    stateName,
                    counted,
                    asMap,
                    textKey,
                    keeper,
                    unionList,
                    true,
                    parallelism,
                    maxParallelism);
        }

        Variant withParallelism(int other, int max) {
            return new Variant(
                    counterUid, stateName, counted, asMap, textKey, keeper, unionList, anotherState, other, max);
        }
    }

    /**
     * Builds it.
     *
     * @param run under which it says what it found
     */
    static void build(StreamExecutionEnvironment env, Variant variant, String run) {
        env.setParallelism(variant.parallelism);
        if (variant.maxParallelism > 0) {
            env.setMaxParallelism(variant.maxParallelism);
        }
        DataStream<Long> numbers = env.fromSource(
                        new DataGeneratorSource<>(
                                index -> index, Long.MAX_VALUE, RateLimiterStrategy.perSecond(2_000), Types.LONG),
                        WatermarkStrategy.noWatermarks(),
                        "numbers")
                .uid("numbers")
                // Its splits are made for as many.
                .setParallelism(1);
        DataStream<Long> counted = variant.textKey
                ? numbers.keyBy(number -> "key " + number % 8, Types.STRING)
                        .process(new Counter<String>(variant, run))
                        .uid(variant.counterUid)
                : numbers.keyBy(number -> number % 8, Types.LONG)
                        .process(new Counter<Long>(variant, run))
                        .uid(variant.counterUid);
        DataStream<Long> kept =
                variant.keeper ? counted.map(new Keeper(variant, run)).uid("keeper") : counted;
        kept.sinkTo(new DiscardingSink<>()).uid("end");
    }

    /** Counts by key. */
    private static final class Counter<K> extends KeyedProcessFunction<K, Long, Long> {

        @Serial
        private static final long serialVersionUID = 1L;

        private final Variant variant;
        private final String run;
        private transient ValueState<Object> value;
        private transient MapState<Long, Object> map;
        private transient ValueState<String> another;
        private transient boolean said;

        Counter(Variant variant, String run) {
            this.variant = variant;
            this.run = run;
        }

        @Override
        @SuppressWarnings("unchecked") // the type is the variant's
        public void open(OpenContext context) {
            TypeSerializer<Object> serializer = (TypeSerializer<Object>) (TypeSerializer<?>)
                    switch (variant.counted) {
                        case LONG -> LongSerializer.INSTANCE;
                        case TEXT -> StringSerializer.INSTANCE;
                        case TALLY -> new TallySerializer(1, false);
                        case TALLY_WITH_A_FIELD_MORE -> new TallySerializer(2, false);
                        case TALLY_TO_BE_MIGRATED -> new TallySerializer(2, true);
                    };
            if (variant.asMap) {
                map = getRuntimeContext()
                        .getMapState(new MapStateDescriptor<>(variant.stateName, LongSerializer.INSTANCE, serializer));
            } else {
                value = getRuntimeContext().getState(new ValueStateDescriptor<>(variant.stateName, serializer));
            }
            if (variant.anotherState) {
                another = getRuntimeContext().getState(new ValueStateDescriptor<>("another", Types.STRING));
            }
        }

        @Override
        public void processElement(Long number, Context context, Collector<Long> out) throws Exception {
            Object before = variant.asMap ? map.get(0L) : value.value();
            long count = before == null ? 0 : Long.parseLong(before.toString());
            if (!said) {
                said = true;
                FOUND.merge(
                        run,
                        new Found(count, false),
                        (a, b) -> new Found(Math.max(a.counted, b.counted), a.kept || b.kept));
            }
            if (variant.anotherState) {
                another.update("seen");
            }
            Object after = variant.counted == Counted.LONG
                    ? (Object) (count + 1)
                    : variant.counted == Counted.TEXT ? Long.toString(count + 1) : new Tally(count + 1);
            if (variant.asMap) {
                map.put(0L, after);
            } else {
                value.update(after);
            }
            out.collect(number);
        }
    }

    /** Keeps the last number. */
    private static final class Keeper extends RichMapFunction<Long, Long> implements CheckpointedFunction {

        @Serial
        private static final long serialVersionUID = 1L;

        private final Variant variant;
        private final String run;
        private transient ListState<Long> state;
        private transient long last;

        Keeper(Variant variant, String run) {
            this.variant = variant;
            this.run = run;
        }

        @Override
        public void initializeState(FunctionInitializationContext context) throws Exception {
            ListStateDescriptor<Long> descriptor = new ListStateDescriptor<>("last", Types.LONG);
            state = variant.unionList
                    ? context.getOperatorStateStore().getUnionListState(descriptor)
                    : context.getOperatorStateStore().getListState(descriptor);
            boolean any = state.get().iterator().hasNext();
            FOUND.merge(run, new Found(0, any), (a, b) -> new Found(Math.max(a.counted, b.counted), a.kept || b.kept));
        }

        @Override
        public Long map(Long number) {
            last = number;
            return number;
        }

        @Override
        public void snapshotState(FunctionSnapshotContext context) throws Exception {
            state.update(List.of(last));
        }
    }

    /** A count. */
    record Tally(long count) {
        @Override
        public String toString() {
            return Long.toString(count);
        }
    }

    /** Writes a version, the count and, from version 2 on, a field more; reads both. */
    static final class TallySerializer extends TypeSerializerSingleton<Tally> {

        @Serial
        private static final long serialVersionUID = 1L;

        private final int format;
        private final boolean migrates;

        TallySerializer(int format, boolean migrates) {
            this.format = format;
            this.migrates = migrates;
        }

        @Override
        public boolean isImmutableType() {
            return true;
        }

        @Override
        public Tally createInstance() {
            return new Tally(0);
        }

        @Override
        public Tally copy(Tally from) {
            return from;
        }

        @Override
        public Tally copy(Tally from, Tally reuse) {
            return from;
        }

        @Override
        public int getLength() {
            return -1;
        }

        @Override
        public void serialize(Tally tally, DataOutputView out) throws IOException {
            out.writeByte(format);
            out.writeLong(tally.count);
            if (format > 1) {
                out.writeUTF("more");
            }
        }

        @Override
        public Tally deserialize(DataInputView in) throws IOException {
            int written = in.readByte();
            Tally tally = new Tally(in.readLong());
            if (written > 1) {
                in.readUTF();
            }
            return tally;
        }

        @Override
        public Tally deserialize(Tally reuse, DataInputView in) throws IOException {
            return deserialize(in);
        }

        @Override
        public void copy(DataInputView in, DataOutputView out) throws IOException {
            serialize(deserialize(in), out);
        }

        @Override
        public TypeSerializerSnapshot<Tally> snapshotConfiguration() {
            return new Snapshot(format, migrates);
        }

        /** Knows the format. */
        public static final class Snapshot implements TypeSerializerSnapshot<Tally> {

            private int format;
            private boolean migrates;

            /** To be read. */
            public Snapshot() {}

            Snapshot(int format, boolean migrates) {
                this.format = format;
                this.migrates = migrates;
            }

            @Override
            public int getCurrentVersion() {
                return 1;
            }

            @Override
            public void writeSnapshot(DataOutputView out) throws IOException {
                out.writeInt(format);
                out.writeBoolean(migrates);
            }

            @Override
            public void readSnapshot(int version, DataInputView in, ClassLoader classes) throws IOException {
                format = in.readInt();
                migrates = in.readBoolean();
            }

            @Override
            public TypeSerializer<Tally> restoreSerializer() {
                return new TallySerializer(format, migrates);
            }

            @Override
            public TypeSerializerSchemaCompatibility<Tally> resolveSchemaCompatibility(
                    TypeSerializerSnapshot<Tally> old) {
                return migrates && old instanceof Snapshot other && other.format < format
                        ? TypeSerializerSchemaCompatibility.compatibleAfterMigration()
                        : TypeSerializerSchemaCompatibility.compatibleAsIs();
            }
        }
    }
}
