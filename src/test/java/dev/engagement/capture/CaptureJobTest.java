package dev.engagement.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.connection.KafkaConnection;
import dev.engagement.connection.PostgresConnection;
import dev.engagement.connection.SecretRef;
import dev.engagement.deadletter.DeadLetter;
import dev.engagement.event.EventId;
import io.debezium.connector.postgresql.PostgresConnectorConfig;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.flink.cdc.connectors.base.source.assigner.state.PendingSplitsStateSerializer;
import org.apache.flink.cdc.connectors.base.source.assigner.state.StreamPendingSplitsState;
import org.apache.flink.cdc.connectors.base.source.meta.offset.OffsetFactory;
import org.apache.flink.cdc.connectors.base.source.meta.split.SourceSplitSerializer;
import org.apache.flink.cdc.connectors.postgres.source.offset.PostgresOffsetFactory;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.apache.flink.runtime.jobgraph.JobGraph;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.util.InstantiationUtil;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.postgresql.plugin.AuthenticationRequestType;

class CaptureJobTest {

    private static final String PASSWORD = "correct horse battery staple";
    private static final KafkaConnection KAFKA = new KafkaConnection("kafka:9092", Map.of());

    @TempDir
    private Path folder;

    @Test
    void thePasswordIsNotInTheJobGraph() throws Exception {
        Configuration configuration = new Configuration();
        configuration.setString("pipeline.generic-types", "false");
        configuration.setString("pipeline.auto-generate-uids", "false");
        StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment(configuration);
        CaptureJob.wire(env, secretive(), KAFKA).sinkTo(new DiscardingSink<>()).uid("letters");

        JobGraph graph = env.getStreamGraph().getJobGraph();

        assertThat(text(InstantiationUtil.serializeObject(graph))).doesNotContain(PASSWORD);
        assertThat(text(InstantiationUtil.serializeObject(new CaptureSource(secretive(), KAFKA))))
                .doesNotContain(PASSWORD)
                .contains("the_slot");
    }

    @Test
    void thePasswordIsReadWhenTheDriverAsks() throws Exception {
        Properties connection = SecretPassword.properties(secretive().postgres().password());

        assertThat(connection.toString()).doesNotContain(PASSWORD);
        assertThat(new SecretPassword(connection).getPassword(AuthenticationRequestType.SASL))
                .isEqualTo(PASSWORD.toCharArray());
        assertThat(SecretPassword.properties(SecretRef.none())).isEmpty();
    }

    @Test
    void connectionsKeepTheAddressParametersAndTheSecretsReference() throws Exception {
        assertThat(CaptureSource.configFactory(secretive()).create(0).getDbzProperties())
                .containsEntry("database.sslmode", "require")
                .containsEntry("database.authenticationPluginClassName", SecretPassword.class.getName())
                .containsEntry("database.connectTimeout", "5")
                .doesNotContainValue(PASSWORD);
    }

    /** A thread that a cancelled job leaves behind would open one that nobody closes. */
    @Test
    void aConnectionThatHasEndedIsNotOpenedAgain() throws Exception {
        PostgresConnectorConfig config =
                CaptureSource.configFactory(secretive()).create(0).getDbzConnectorConfig();
        CaptureConnection closed = CaptureConnection.closedOnce(config, "test");
        closed.close();
        CaptureConnection ended = CaptureConnection.reconnecting(config, "test");
        ended.end();
        for (CaptureConnection each : List.of(closed, ended)) {
            assertThatThrownBy(each::connection)
                    .isInstanceOf(SQLException.class)
                    .hasMessage("Capture's connection to db was closed, as its job or split has ended");
        }
    }

    @Test
    void eachTableHasItsTopicAndKafkaChoosesPartitionAndTime() {
        byte[] key = {1};
        byte[] value = {2};
        var schema = CaptureJob.toTopics("events-topic", "content-topic");

        ProducerRecord<byte[], byte[]> event =
                schema.serialize(new Captured.Row(CapturedTable.EVENTS, key, value), null, 5L);
        ProducerRecord<byte[], byte[]> tombstone =
                schema.serialize(new Captured.Row(CapturedTable.CONTENT, key, null), null, 5L);

        assertThat(event).isEqualTo(new ProducerRecord<>("events-topic", key, value));
        assertThat(tombstone).isEqualTo(new ProducerRecord<>("content-topic", key, null));
    }

    @Test
    void theProducerTakesEveryRowThatIsNotOversize() {
        Properties properties = CaptureJob.producer(CaptureSamples.options(), KAFKA);
        assertThat(properties).containsEntry("acks", "all").containsEntry("max.request.size", "1048576");

        CaptureOptions large = new CaptureOptions(
                new PostgresConnection("jdbc:postgresql://db/engagement", "capture", SecretRef.none()),
                "public",
                "e",
                "c",
                "h",
                "s",
                "p",
                CaptureOptions.Start.LATEST,
                java.time.Duration.ofSeconds(10),
                MemorySize.parse("16mb"),
                "e",
                "c",
                false,
                0,
                null,
                null);
        assertThat(Long.parseLong(CaptureJob.producer(large, KAFKA).getProperty("max.request.size")))
                .isGreaterThan(16 * 1024 * 1024);
        assertThat(CaptureJob.producer(large, new KafkaConnection("kafka:9092", Map.of("linger.ms", "50"))))
                .containsEntry("linger.ms", "50");
    }

    @Test
    void lettersOfASnapshotDifferByKey() {
        DeadLetter one = OversizeSplit.letter(oversize("{\"id\":1}", 1L), MemorySize.parse("1kb"), 9);
        DeadLetter other = OversizeSplit.letter(oversize("{\"id\":2}", 2L), MemorySize.parse("1kb"), 9);

        assertThat(one.id()).isNotEqualTo(other.id());
        assertThat(OversizeSplit.letter(oversize("{\"id\":1}", 1L), MemorySize.parse("1kb"), 10)
                        .id())
                .isEqualTo(one.id());
        assertThat(one.source()).isEqualTo(new DeadLetter.Source("public.engagement_events", -1, 0, 0));
        assertThat(one.error())
                .isEqualTo("The row {\"id\":1} of public.engagement_events (op r, LSN 0/0) makes 5000 bytes;"
                        + " capture.max-row-bytes allows 1024. It is still in the table");
    }

    @Test
    void whatTravelsBetweenOperatorsComesBackAsItWas() throws Exception {
        Captured.Row row = new Captured.Row(CapturedTable.CONTENT, new byte[] {1}, null);
        for (Captured captured : List.of(
                row,
                new Captured.Row(CapturedTable.EVENTS, new byte[] {1, 2}, new byte[] {3}),
                oversize("{\"id\":1}", 1L),
                oversize("{\"id\":\"x\"}", null),
                new Captured.Unreadable("public.content", "{}", "d", "why", 7, 8, null))) {
            DataOutputSerializer out = new DataOutputSerializer(64);
            CapturedTypes.CapturedSerializer serializer = new CapturedTypes.CapturedSerializer();
            serializer.serialize(captured, out);
            assertThat(serializer.deserialize(new DataInputDeserializer(out.getCopyOfBuffer())))
                    .usingRecursiveComparison()
                    .isEqualTo(captured);
        }
        DataOutputSerializer out = new DataOutputSerializer(64);
        new CapturedTypes.RowSerializer().serialize(row, out);
        assertThat(new CapturedTypes.RowSerializer().deserialize(new DataInputDeserializer(out.getCopyOfBuffer())))
                .usingRecursiveComparison()
                .isEqualTo(row);
    }

    @Test
    void aRowThatCannotBeReadIsALetterThatRefersToIt() {
        DeadLetter letter = OversizeSplit.letter(
                new Captured.Unreadable("public.content", "{\"id\":\"a\"}", "u", "why", 7, 8, null), 9);

        assertThat(letter.reason()).isEqualTo(dev.engagement.deadletter.Reason.UNDECODABLE);
        assertThat(letter.source()).isEqualTo(new DeadLetter.Source("public.content", -1, 7, 8));
        assertThat(letter.error())
                .isEqualTo("The row {\"id\":\"a\"} of public.content (op u, LSN 0/7) cannot be read: why");
        assertThat(letter.headers()).extracting(DeadLetter.Header::key).containsExactly(DeadLetter.ROW_KEY);
    }

    @Test
    void theStateKnowsItsTablesAndReadsThatOfABuildWhichDidNot() throws Exception {
        var plain = new StreamPendingSplitsState(true);
        var before = splitsSerializer();
        CaptureState.Serializer now = new CaptureState.Serializer(before);
        KnownSource source = new KnownSource(
                new SourceLine(-7, 3),
                0x2_0000_1000L,
                Instant.EPOCH.plusNanos(5_001_000),
                4711L,
                Instant.ofEpochMilli(6));
        CaptureState state = new CaptureState(plain, new TableIds(1, 4_000_000_000L), Instant.ofEpochMilli(5), source);

        CaptureState read = (CaptureState) now.deserialize(now.getVersion(), now.serialize(state));
        assertThat(read.source()).isEqualTo(source);
        assertThat(read.captured()).isEqualTo(new TableIds(1, 4_000_000_000L));
        assertThat(read.wholeAt()).isEqualTo(Instant.ofEpochMilli(5));
        assertThat(CaptureState.splits(read)).isEqualTo(plain);
        assertThat(now.deserialize(before.getVersion(), before.serialize(plain)))
                .isEqualTo(plain);
    }

    /** The bytes of a build that knew the tables, and nothing of timelines. */
    @Test
    void aStateThatDoesNotKnowItsSourceTakesTheOneThatIsThere() throws Exception {
        var plain = new StreamPendingSplitsState(true);
        var splits = splitsSerializer();
        byte[] rest = splits.serialize(plain);
        DataOutputSerializer out = new DataOutputSerializer(64);
        out.writeLong(1);
        out.writeLong(2);
        out.writeLong(5);
        out.writeInt(splits.getVersion());
        out.writeInt(rest.length);
        out.write(rest);

        CaptureState read = (CaptureState) new CaptureState.Serializer(splits).deserialize(1001, out.getCopyOfBuffer());

        assertThat(read.captured()).isEqualTo(new TableIds(1, 2));
        assertThat(read.wholeAt()).isEqualTo(Instant.ofEpochMilli(5));
        assertThat(read.source()).isEqualTo(KnownSource.NOTHING);
        assertThat(CaptureState.splits(read)).isEqualTo(plain);
    }

    private static PendingSplitsStateSerializer splitsSerializer() {
        return new PendingSplitsStateSerializer(new SourceSplitSerializer() {
            @Override
            public OffsetFactory getOffsetFactory() {
                return new PostgresOffsetFactory();
            }
        });
    }

    @Test
    void addressesThatCannotWorkAreRefused() {
        assertThatThrownBy(() -> CaptureSamples.options("jdbc:postgresql://db/e?user=a&password=b", SecretRef.none()))
                .hasMessageContaining("postgres.url contains a password")
                .hasMessageNotContaining("=b");
        assertThatThrownBy(() -> CaptureSamples.options("jdbc:postgresql://a:1,b:2/e", SecretRef.none()))
                .hasMessageContaining("several hosts");
    }

    private static Captured.Oversize oversize(String key, Long eventId) {
        return new Captured.Oversize(
                "public.engagement_events", key, "r", 5000, 0, 0, eventId == null ? null : EventId.of(eventId));
    }

    private CaptureOptions secretive() throws java.io.IOException {
        Path file = Files.writeString(folder.resolve("password"), PASSWORD);
        return CaptureSamples.options(
                "jdbc:postgresql://db:5433/engagement?sslmode=require",
                SecretRef.inFile("postgres.password", file.toString()));
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }
}
