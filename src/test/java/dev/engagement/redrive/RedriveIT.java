package dev.engagement.redrive;

import static dev.engagement.redrive.RedriveStage.enriched;
import static dev.engagement.redrive.RedriveStage.event;
import static dev.engagement.redrive.RedriveStage.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.deadletter.DeadLetter;
import dev.engagement.deadletter.Reason;
import dev.engagement.delivery.Delivery;
import dev.engagement.delivery.RetryRecord;
import dev.engagement.event.EventId;
import dev.engagement.event.EventJson;
import dev.engagement.event.Position;
import dev.engagement.ingest.ContentDecoder;
import dev.engagement.ingest.DecodedRecord;
import dev.engagement.ingest.EventDecoder;
import dev.engagement.redrive.RedriveStage.Asked;
import dev.engagement.redrive.RedriveStage.Run;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Letters of every reason, on real servers: back once, whatever happens in between. */
class RedriveIT {

    private static final String INVALID_ROW =
            "{\"op\":\"c\",\"after\":{\"id\":%d,\"content_id\":\"c-1\",\"event_ts\":\"infinity\"}}";
    private static final String CONTENT_ROW = "{\"op\":\"c\",\"after\":{\"id\":\"%s\",\"slug\":%s}}";
    private static final String CONTENT_ID = "5e8a4a8e-8f6f-4c0f-9d8e-0a0b0c0d0e0f";

    private static RedriveStage stage;
    private static int tests;

    @BeforeAll
    static void start() throws Exception {
        stage = RedriveStage.start(Path.of("target/it/redrive"));
    }

    @AfterAll
    static void stop() {
        stage.close();
    }

    @BeforeEach
    void set() {
        stage.set("t" + tests++);
    }

    @Test
    void what_could_not_be_decoded_goes_back_byte_for_byte_under_its_key_with_its_headers() throws Exception {
        byte[] bytes = new byte[300];
        new Random(1).nextBytes(bytes);
        Headers headers = new RecordHeaders()
                .add("h", new byte[] {0, (byte) 0xff})
                .add("h", null)
                .add("t", "text".getBytes(StandardCharsets.UTF_8));
        ConsumerRecord<byte[], byte[]> bad =
                stage.send(stage.topics().events(), 5, "{\"payload\":{\"id\":17}}", bytes, headers);
        stage.letter(Reason.UNDECODABLE, bad, null);

        Run run = stage.redrive(Reason.UNDECODABLE);

        assertThat(run.result()).isEqualTo(new Redrive.Result(1, 0));
        ConsumerRecord<byte[], byte[]> back = stage.last(stage.topics().events(), 1);
        assertThat(back.key()).isEqualTo(bad.key());
        assertThat(back.value()).isEqualTo(bytes);
        assertThat(back.headers()).isEqualTo(headers);
    }

    @Test
    void an_event_whose_record_is_gone_gets_the_key_of_its_id() throws Exception {
        String topic = stage.topics().events();
        ConsumerRecord<byte[], byte[]> invalid =
                stage.send(topic, 2, "{\"payload\":{\"id\":17}}", String.format(INVALID_ROW, 17));
        ConsumerRecord<byte[], byte[]> unread =
                stage.send(topic, 2, "{\"payload\":{\"id\":18}}", text(EventJson.envelope(event(18))));
        stage.letter(Reason.INVALID, invalid, 17L);
        // Of a decoder that has been mended since: the id is in the value.
        stage.letter(Reason.UNDECODABLE, unread, null);
        ConsumerRecord<byte[], byte[]> nameless = stage.send(topic, 2, "k", "no JSON");
        stage.letter(Reason.UNDECODABLE, nameless, null);
        stage.delete(topic, 2, 3);

        Run run = stage.redrive(Reason.INVALID, Reason.UNDECODABLE);

        assertThat(run.result()).isEqualTo(new Redrive.Result(3, 0));
        Map<String, String> keys = new HashMap<>();
        for (ConsumerRecord<byte[], byte[]> back : stage.committed(topic)) {
            keys.put(text(back.value()), text(back.key()) + (back.key() == null ? " in " + back.partition() : ""));
        }
        assertThat(keys)
                .containsOnly(
                        Map.entry(text(invalid.value()), "{\"id\":17}"),
                        Map.entry(text(unread.value()), "{\"id\":18}"),
                        // Nobody needs a key there; but it goes where it was.
                        Map.entry("no JSON", "null in 2"));
    }

    @Test
    void a_record_that_took_the_place_of_the_letter_s_is_not_mistaken_for_it() throws Exception {
        String topic = stage.topics().events();
        ConsumerRecord<byte[], byte[]> other = stage.send(topic, 2, "{\"id\":99}", "another");
        stage.letter(DeadLetter.of(
                Reason.INVALID,
                "decode",
                "bad",
                5,
                new DeadLetter.Source(topic, 2, other.offset(), other.timestamp()),
                EventId.of(17L),
                "the letter's".getBytes(StandardCharsets.UTF_8),
                List.of()));

        stage.redrive(Reason.INVALID);

        assertThat(text(stage.last(topic, 1).key())).isEqualTo("{\"id\":17}");
    }

    @Test
    void a_letter_without_its_payload_takes_it_from_its_record() throws Exception {
        String topic = stage.topics().events();
        ConsumerRecord<byte[], byte[]> record = stage.send(
                topic, 2, "k", "the value".getBytes(StandardCharsets.UTF_8), new RecordHeaders().add("h", new byte[] {1
                        }));
        DeadLetter.Source source = new DeadLetter.Source(topic, 2, record.offset(), record.timestamp());
        stage.letter(DeadLetter.of(Reason.UNDECODABLE, "decode", "left out", 5, source, null, null, List.of()));
        stage.letter(DeadLetter.of(
                Reason.UNDECODABLE,
                "decode",
                "left out",
                5,
                new DeadLetter.Source(topic, 2, 77, 5),
                null,
                null,
                List.of()));

        Run run = stage.redrive(Reason.UNDECODABLE);

        assertThat(run.result()).isEqualTo(new Redrive.Result(1, 1));
        ConsumerRecord<byte[], byte[]> back = stage.last(topic, 1);
        assertThat(text(back.value())).isEqualTo("the value");
        assertThat(back.headers()).isEqualTo(record.headers());
        assertThat(run.text())
                .contains("no payload, and Kafka no longer has the record at " + topic + " partition 2 offset 77");
    }

    @Test
    void an_unresolved_event_goes_back_as_its_envelope() throws Exception {
        String topic = stage.topics().events();
        ConsumerRecord<byte[], byte[]> record = stage.send(topic, 4, "{\"id\":5}", "{\"with\":\"wrapper\"}");
        byte[] envelope = EventJson.envelope(event(5));
        stage.letter(DeadLetter.of(
                Reason.UNRESOLVED,
                "enrich",
                "content c-1 did not come",
                System.currentTimeMillis(),
                new DeadLetter.Source(topic, 4, record.offset(), record.timestamp()),
                EventId.of(5L),
                envelope,
                List.of()));

        assertThat(stage.redrive(Reason.UNRESOLVED).result()).isEqualTo(new Redrive.Result(1, 0));

        ConsumerRecord<byte[], byte[]> back = stage.last(topic, 1);
        assertThat(back.value()).isEqualTo(envelope);
        assertThat(text(back.key())).isEqualTo("{\"id\":5}");
    }

    @Test
    void a_content_goes_back_only_while_nothing_newer_is_there() throws Exception {
        String topic = stage.topics().content();
        ConsumerRecord<byte[], byte[]> only =
                stage.send(topic, 0, "{\"id\":\"a\"}", String.format(CONTENT_ROW, "a", "5"));
        ConsumerRecord<byte[], byte[]> older =
                stage.send(topic, 0, "{\"id\":\"b\"}", String.format(CONTENT_ROW, "b", "5"));
        ConsumerRecord<byte[], byte[]> deleted =
                stage.send(topic, 0, "{\"id\":\"c\"}", String.format(CONTENT_ROW, "c", "5"));
        stage.send(topic, 0, "{\"payload\":{\"id\":\"b\"}}", String.format(CONTENT_ROW, "b", "\"good\""));
        stage.send(topic, 0, "{\"id\":\"c\"}", null, new RecordHeaders());
        for (ConsumerRecord<byte[], byte[]> record : List.of(only, older, deleted)) {
            stage.letter(Reason.INVALID, record, null);
        }

        Run run = stage.redrive(Reason.INVALID);

        assertThat(run.result()).isEqualTo(new Redrive.Result(1, 2));
        ConsumerRecord<byte[], byte[]> back = stage.committed(topic).get(5);
        assertThat(text(back.key())).isEqualTo("{\"id\":\"a\"}");
        assertThat(back.value()).isEqualTo(only.value());
        assertThat(run.text())
                .contains("a newer record of content b is at " + topic + " partition 0 offset 3")
                .contains("a newer record of content c is at " + topic + " partition 0 offset 4");
        // What was put back is newer than the letter, too.
        Asked again = new Asked(Reason.INVALID);
        again.again = true;
        assertThat(stage.redrive(again).result()).isEqualTo(new Redrive.Result(0, 3));
        assertThat(stage.committed(topic)).hasSize(6);
    }

    @Test
    void a_content_whose_record_compaction_took_stays_away() throws Exception {
        String topic = stage.topics().content();
        stage.letter(DeadLetter.of(
                Reason.INVALID,
                "decode",
                "bad",
                5,
                new DeadLetter.Source(topic, 0, 77, 5),
                null,
                String.format(CONTENT_ROW, "a", "5").getBytes(StandardCharsets.UTF_8),
                List.of()));

        Run run = stage.redrive(Reason.INVALID);

        assertThat(run.result()).isEqualTo(new Redrive.Result(0, 1));
        assertThat(run.text()).contains("compaction took it for a newer one");
        assertThat(stage.committed(topic)).isEmpty();
    }

    @Test
    void a_record_that_kafka_refuses_holds_no_other_up() throws Exception {
        String events = stage.topics().events();
        stage.letter(Reason.INVALID, stage.send(events, 1, "{\"id\":1}", String.format(INVALID_ROW, 1)), 1L);
        // The topic takes 8 MiB.
        stage.letter(DeadLetter.of(
                Reason.UNRESOLVED,
                "enrich",
                "large",
                5,
                new DeadLetter.Source(events, 1, 500, 5),
                EventId.of(2L),
                random(9 << 20),
                List.of()));
        stage.letter(Reason.INVALID, stage.send(events, 1, "{\"id\":3}", String.format(INVALID_ROW, 3)), 3L);

        Run run = stage.redrive(Reason.INVALID, Reason.UNRESOLVED);

        assertThat(run.result()).isEqualTo(new Redrive.Result(2, 1));
        assertThat(run.text()).contains("of event 2").contains("Kafka does not take its record");
        assertThat(stage.committed(events)).hasSize(4);
        assertThat(stage.redrive(Reason.INVALID, Reason.UNRESOLVED).result()).isEqualTo(new Redrive.Result(0, 1));
    }

    @Test
    void an_oversize_value_goes_back_once_the_limit_allows_it_or_its_row_is_smaller() throws Exception {
        String topic = stage.topics().events();
        String wide =
                "{\"schema\":\"" + "s".repeat(6_000) + "\",\"payload\":" + text(EventJson.envelope(event(1))) + "}";
        ConsumerRecord<byte[], byte[]> oversize = stage.send(topic, 1, "{\"id\":1}", wide);
        stage.letter(Reason.OVERSIZE, oversize, null);
        ConsumerRecord<byte[], byte[]> hopeless = stage.send(topic, 1, "{\"id\":2}", "x".repeat(6_000));
        stage.letter(Reason.OVERSIZE, hopeless, null);

        Asked withoutDatabase = new Asked(Reason.OVERSIZE);
        withoutDatabase.database = false;
        Run refused = stage.redrive(withoutDatabase);
        assertThat(refused.result()).isEqualTo(new Redrive.Result(0, 2));
        assertThat(refused.text())
                .contains("its value has " + wide.length() + " bytes, still above ingest.max-record-bytes (4096)")
                .contains("with postgres.username and its password the row would be read");

        sql("INSERT INTO content VALUES ('" + CONTENT_ID + "', 's-1', 'T', 'video', 300, '2026-01-01Z')");
        sql("INSERT INTO engagement_events VALUES (1, '" + CONTENT_ID
                + "', NULL, 'play', '2026-01-08T14:21:52.123456Z', 7000, 'web', '{\"a\": 1}')");
        Run byRow = stage.redrive(Reason.OVERSIZE);
        assertThat(byRow.result()).isEqualTo(new Redrive.Result(1, 1));
        assertThat(byRow.text()).contains("PostgreSQL no longer has the row of event 2");
        ConsumerRecord<byte[], byte[]> back = stage.last(topic, 2);
        assertThat(text(back.value())).contains("\"id\":1,", "\"op\":\"c\"").hasSizeLessThan(400);
        assertThat(text(back.key())).isEqualTo("{\"id\":1}");

        Asked raised = new Asked(Reason.OVERSIZE);
        raised.maxRecordBytes = 10_000;
        assertThat(stage.redrive(raised).result()).isEqualTo(new Redrive.Result(1, 0));
        assertThat(stage.last(topic, 3).value()).isEqualTo(hopeless.value());
    }

    @Test
    void capture_s_oversize_rows_are_read_from_the_database() throws Exception {
        sql(
                "INSERT INTO content VALUES ('00000000-0000-0000-0000-00000000000a', 's-a', 'Quo\"ted', 'video', NULL, 'infinity')");
        sql("INSERT INTO engagement_events VALUES (101, '00000000-0000-0000-0000-00000000000a', NULL, 'play',"
                + " '2026-01-08T14:21:52.123456Z', NULL, NULL, NULL)");
        sql(
                "INSERT INTO engagement_events SELECT 102, '00000000-0000-0000-0000-00000000000a', NULL, 'play', now(), 1, 'web',"
                        + " jsonb_build_object('t', repeat('x', 5000))");
        sql(
                "INSERT INTO engagement_events VALUES (103, '00000000-0000-0000-0000-00000000000a', NULL, 'play', 'infinity')");
        sql("INSERT INTO engagement_events VALUES (104, '00000000-0000-0000-0000-00000000000a', NULL, 'play',"
                + " '0044-03-15 00:00:00Z BC')");
        captured("public.engagement_events", 101L, "{\"id\":101}", 77);
        captured("public.engagement_events", 102L, "{\"id\":102}", 78);
        captured("public.engagement_events", 103L, "{\"id\":103}", 79);
        captured("public.engagement_events", 104L, "{\"id\":104}", 80);
        captured("public.engagement_events", 105L, "{\"id\":105}", 81);
        captured("public.content", null, "{\"id\":\"00000000-0000-0000-0000-00000000000a\"}", 0);
        captured("public.other", 106L, "{\"id\":106}", 82);

        Run run = stage.redrive(Reason.OVERSIZE);

        assertThat(run.result()).isEqualTo(new Redrive.Result(2, 5));
        assertThat(run.text())
                .containsPattern("its row has 5\\d{3} bytes, still above ingest.max-record-bytes")
                .contains("event_ts is 'infinity'; it must be an ISO-8601 time with a zone, within years 1..9999")
                .contains("PostgreSQL no longer has the row of event 105")
                .contains("it refers to a row of public.other, which is neither");
        ConsumerRecord<byte[], byte[]> event = stage.last(stage.topics().events(), 0);
        DecodedRecord<dev.engagement.event.EngagementEvent> decoded = new DecodedRecord<>();
        new EventDecoder("t", 1 << 20, Clock.systemUTC()).decode(event, decoded);
        assertThat(decoded.value().id()).isEqualTo(101);
        assertThat(decoded.value().snapshot()).isFalse();
        assertThat(decoded.value().committedAtMillis()).isEqualTo(1_700_000_000_000L);
        assertThat(decoded.value().hasDuration()).isFalse();
        ConsumerRecord<byte[], byte[]> content = stage.last(stage.topics().content(), 0);
        assertThat(text(content.key())).isEqualTo("{\"id\":\"00000000-0000-0000-0000-00000000000a\"}");
        DecodedRecord<dev.engagement.event.ContentChange> change = new DecodedRecord<>();
        new ContentDecoder("t", 1 << 20, Clock.systemUTC()).decode(content, change);
        assertThat(change.value().toString()).contains("title=Quo\"ted", "lengthSeconds=null", "publishTsMicros=null");
    }

    @Test
    void an_oversize_content_that_was_captured_since_stays_as_it_is() throws Exception {
        sql("INSERT INTO content VALUES ('00000000-0000-0000-0000-00000000000b', 's-b', 'T', 'video', NULL, now())");
        captured("public.content", null, "{\"id\":\"00000000-0000-0000-0000-00000000000b\"}", 90);
        stage.send(
                stage.topics().content(),
                0,
                "{\"id\":\"00000000-0000-0000-0000-00000000000b\"}",
                String.format(CONTENT_ROW, "00000000-0000-0000-0000-00000000000b", "\"newer\""));

        Run run = stage.redrive(Reason.OVERSIZE);

        assertThat(run.result()).isEqualTo(new Redrive.Result(0, 1));
        assertThat(run.text()).contains("has a newer record of content 00000000-0000-0000-0000-00000000000b");
    }

    private static void captured(String table, Long eventId, String key, long lsn) throws Exception {
        DeadLetter.Source source = new DeadLetter.Source(table, -1, lsn, 1_700_000_000_000L);
        stage.letter(new DeadLetter(
                DeadLetter.idOf(new DeadLetter.Source(table + ' ' + key, -1, lsn, 0), "capture", Reason.OVERSIZE),
                Reason.OVERSIZE,
                "capture",
                "too large",
                1,
                System.currentTimeMillis() - 1_000,
                source,
                eventId == null ? null : EventId.of(eventId),
                null,
                List.of(new DeadLetter.Header(DeadLetter.ROW_KEY, key.getBytes(StandardCharsets.UTF_8)))));
    }

    @Test
    void an_undeliverable_event_goes_to_delivery_alone() throws Exception {
        stage.letter(Reason.UNDELIVERABLE, 7, enriched(7), 12);
        long before = System.currentTimeMillis();

        assertThat(stage.redrive(Reason.UNDELIVERABLE).result()).isEqualTo(new Redrive.Result(1, 0));

        ConsumerRecord<byte[], byte[]> record = stage.last(stage.topics().deliveryRetry(), 0);
        Delivery delivery = RetryRecord.read(record.key(), record.value(), record.headers(), record.timestamp());
        assertThat(delivery.eventId()).isEqualTo(EventId.of(7));
        assertThat(delivery.body()).isEqualTo(enriched(7));
        assertThat(delivery.attempts()).isZero();
        assertThat(delivery.notBeforeMillis()).isZero();
        assertThat(delivery.source()).isEqualTo(new Position(3, 12, 1_700_000_000_000L));
        assertThat(delivery.sinceMillis()).isBetween(before, System.currentTimeMillis());
        assertThat(stage.committed(stage.topics().events())).isEmpty();
    }

    @Test
    void a_rejected_event_goes_to_the_warehouse_alone_if_it_is_not_there() throws Exception {
        stage.makeTable();
        stage.letter(Reason.REJECTED, 7, enriched(7), 12);
        stage.letter(Reason.REJECTED, 7, enriched(7), 13);
        stage.letter(Reason.REJECTED, 8, "{\"event_id\":8}".getBytes(StandardCharsets.UTF_8), 14);

        Run run = stage.redrive(Reason.REJECTED);

        assertThat(run.result()).isEqualTo(new Redrive.Result(2, 1));
        assertThat(run.text()).contains("the warehouse refuses its row: event_ts is missing");
        assertThat(stage.rows()).containsExactly("7");
        assertThat(stage.committed(stage.topics().redriven())).hasSize(2).allSatisfy(mark -> assertThat(
                        text(mark.value()))
                .contains("\"to\":{\"table\":\"local.analytics." + "t", "\"event_id\":7"));
        assertThat(stage.committed(stage.topics().events())).isEmpty();
    }

    @Test
    void without_its_table_nothing_is_put_back() throws Exception {
        stage.letter(Reason.REJECTED, 7, enriched(7), 12);

        assertThatThrownBy(() -> stage.redrive(Reason.REJECTED))
                .isInstanceOf(RedriveException.class)
                .hasMessageContaining("There is no warehouse table");
        assertThat(stage.committed(stage.topics().redriven())).isEmpty();
    }

    /** One of each that can go back. */
    private static List<DeadLetter> all() throws Exception {
        stage.makeTable();
        String events = stage.topics().events();
        return List.of(
                stage.letter(Reason.UNDECODABLE, stage.send(events, 1, "{\"id\":1}", "no JSON"), null),
                stage.letter(Reason.INVALID, stage.send(events, 2, "{\"id\":2}", String.format(INVALID_ROW, 2)), 2L),
                stage.letter(Reason.OVERSIZE, stage.send(events, 3, "{\"id\":3}", "x".repeat(2_000)), null),
                stage.letter(
                        Reason.UNRESOLVED, stage.send(events, 4, "{\"id\":4}", text(EventJson.envelope(event(4)))), 4L),
                stage.letter(Reason.UNDELIVERABLE, 5, enriched(5), 5),
                stage.letter(Reason.REJECTED, 6, enriched(6), 6));
    }

    private static void assertEachIsBackOnce(List<DeadLetter> letters) throws Exception {
        Map<String, Integer> copies = new HashMap<>();
        for (ConsumerRecord<byte[], byte[]> record :
                stage.committed(stage.topics().events())) {
            copies.merge(text(record.key()), 1, Integer::sum);
        }
        assertThat(copies)
                .as("what came first, and what was put back")
                .isEqualTo(Map.of("{\"id\":1}", 2, "{\"id\":2}", 2, "{\"id\":3}", 2, "{\"id\":4}", 2));
        assertThat(stage.committed(stage.topics().deliveryRetry()))
                .extracting(record -> text(record.key()))
                .containsExactly("5");
        assertThat(stage.rows()).containsExactly("6");
        assertThat(stage.committed(stage.topics().redriven()))
                .extracting(record -> text(record.key()))
                .containsExactlyInAnyOrderElementsOf(
                        letters.stream().map(DeadLetter::id).toList());
    }

    private static Asked everything() {
        return new Asked(Reason.values());
    }

    @Test
    void a_second_redrive_changes_nothing() throws Exception {
        List<DeadLetter> letters = all();

        Run first = stage.redrive(everything());
        Run second = stage.redrive(everything());

        assertThat(first.result()).isEqualTo(new Redrive.Result(6, 0));
        assertThat(second.result()).isEqualTo(new Redrive.Result(0, 0));
        assertThat(second.lines()).singleElement().asString().isEqualToNormalizingNewlines("""
                reason               found  already redriven           put back   could not
                UNDECODABLE              1                 1                  0           0
                INVALID                  1                 1                  0           0
                OVERSIZE                 1                 1                  0           0
                UNRESOLVED               1                 1                  0           0
                UNDELIVERABLE            1                 1                  0           0
                REJECTED                 1                 1                  0           0
                CONFLICT                 0                 0                  0           0""");
        assertEachIsBackOnce(letters);
    }

    /** As if its process were killed: nothing is aborted, closed or said. */
    @ParameterizedTest
    @EnumSource
    void a_redrive_that_dies_is_finished_by_the_next(Step place) throws Exception {
        List<DeadLetter> letters = all();
        Asked dying = everything();
        dying.steps = step -> {
            if (step == place) {
                dying.producer.close(Duration.ZERO);
                throw new DiedException();
            }
        };
        assertThatThrownBy(() -> stage.redrive(dying)).isInstanceOf(DiedException.class);
        int marked = stage.committed(stage.topics().redriven()).size();
        assertThat(marked).isEqualTo(place == Step.COMMITTED ? 6 : 0);

        assertThat(stage.redrive(everything()).result()).isEqualTo(new Redrive.Result(6 - marked, 0));

        assertEachIsBackOnce(letters);
    }

    private static final class DiedException extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    @ParameterizedTest
    @EnumSource
    void of_two_at_once_the_later_one_wins_and_nothing_is_doubled(Step place) throws Exception {
        List<DeadLetter> letters = all();
        EnumSet<Step> seen = EnumSet.noneOf(Step.class);
        Asked older = everything();
        older.steps = step -> {
            if (step == place && seen.add(step)) {
                try {
                    stage.redrive(everything());
                } catch (Exception e) {
                    throw new IllegalStateException(e);
                }
            }
        };

        if (place == Step.COMMITTED) {
            assertThat(stage.redrive(older).result()).isEqualTo(new Redrive.Result(6, 0));
        } else {
            assertThatThrownBy(() -> stage.redrive(older))
                    .isInstanceOf(RedriveException.class)
                    .hasMessageContaining("Another redrive of the same letters was started");
        }

        assertEachIsBackOnce(letters);
    }

    @Test
    void a_dry_run_says_the_same_and_writes_nothing() throws Exception {
        all();
        stage.letter(Reason.REJECTED, 9, "{\"event_id\":9}".getBytes(StandardCharsets.UTF_8), 14);
        Asked dry = everything();
        dry.dryRun = true;

        Run run = stage.redrive(dry);

        assertThat(run.result()).isEqualTo(new Redrive.Result(6, 1));
        assertThat(run.text()).contains("would be put back");
        assertThat(stage.committed(stage.topics().events())).hasSize(4);
        for (String topic : List.of(stage.topics().redriven(), stage.topics().deliveryRetry())) {
            assertThat(stage.committed(topic)).isEmpty();
        }
        assertThat(stage.rows()).isEmpty();
    }

    @Test
    void again_puts_back_what_was_put_back_and_so_does_a_mark_that_was_taken_off() throws Exception {
        DeadLetter letter = stage.letter(Reason.UNDELIVERABLE, 7, enriched(7), 12);
        stage.redrive(Reason.UNDELIVERABLE);
        Asked again = new Asked(Reason.UNDELIVERABLE);
        again.again = true;

        assertThat(stage.redrive(again).result().putBack()).isEqualTo(1);
        assertThat(stage.redrive(Reason.UNDELIVERABLE).result().putBack()).isZero();
        ConsumerRecord<byte[], byte[]> mark =
                stage.committed(stage.topics().redriven()).get(0);
        stage.send(stage.topics().redriven(), mark.partition(), letter.id(), null, new RecordHeaders());
        assertThat(stage.redrive(Reason.UNDELIVERABLE).result().putBack()).isEqualTo(1);

        assertThat(stage.committed(stage.topics().deliveryRetry())).hasSize(3);
    }

    @Test
    void what_fails_again_is_a_letter_of_its_own_and_is_told() throws Exception {
        String topic = stage.topics().events();
        DeadLetter first =
                stage.letter(Reason.INVALID, stage.send(topic, 2, "{\"id\":2}", String.format(INVALID_ROW, 2)), 2L);
        stage.redrive(Reason.INVALID);
        ConsumerRecord<byte[], byte[]> back = stage.last(topic, 1);
        DeadLetter second = stage.letter(Reason.INVALID, back, 2L);

        Run run = stage.redrive(Reason.INVALID);

        assertThat(second.id()).isNotEqualTo(first.id());
        assertThat(run.result()).isEqualTo(new Redrive.Result(1, 0));
        assertThat(run.text())
                .contains("1 of them were put back before and have failed again")
                .containsPattern("INVALID +2 +1 +1 +0");
    }

    @Test
    void only_what_was_asked_for_goes_back() throws Exception {
        for (int i = 1; i <= 6; i++) {
            stage.letter(DeadLetter.of(
                    i == 6 ? Reason.UNRESOLVED : Reason.UNDELIVERABLE,
                    "deliver",
                    "no",
                    Instant.parse("2026-01-08T09:0" + i + ":00Z").toEpochMilli(),
                    new DeadLetter.Source(stage.topics().events(), 1, i, 5),
                    EventId.of((long) i),
                    enriched(i),
                    List.of()));
        }
        Asked asked = new Asked(Reason.UNDELIVERABLE);
        asked.from = Instant.parse("2026-01-08T09:02:00Z");
        asked.to = Instant.parse("2026-01-08T09:05:00Z");
        asked.limit = 2;
        Run limited = stage.redrive(asked);
        assertThat(limited.result()).isEqualTo(new Redrive.Result(2, 0));
        assertThat(limited.text()).contains("1 more are left for another start, because of --limit");
        asked.limit = null;
        assertThat(stage.redrive(asked).result()).isEqualTo(new Redrive.Result(1, 0));
        assertThat(retried()).containsExactlyInAnyOrder("2", "3", "4");

        Asked one = new Asked(Reason.UNDELIVERABLE);
        one.eventId = 5L;
        assertThat(stage.redrive(one).result()).isEqualTo(new Redrive.Result(1, 0));
        assertThat(retried()).containsExactlyInAnyOrder("2", "3", "4", "5");
    }

    private static Stream<String> retried() throws Exception {
        return stage.committed(stage.topics().deliveryRetry()).stream().map(record -> text(record.key()));
    }

    @Test
    void what_is_no_letter_is_named_and_stops_no_other() throws Exception {
        stage.rawLetter("no letter");
        stage.rawLetter(null);
        stage.rawLetter(
                "{\"id\":\"short\",\"reason\":\"UNDELIVERABLE\",\"stage\":\"deliver\",\"failed_at\":\"2026-01-08T09:00:00Z\","
                        + "\"source\":{\"topic\":\"t\"},\"event_id\":1}");
        stage.letter(Reason.UNDELIVERABLE, 7, enriched(7), 12);

        Run run = stage.redrive(Reason.UNDELIVERABLE);

        assertThat(run.result()).isEqualTo(new Redrive.Result(1, 3));
        assertThat(run.text())
                .contains("not readable as JSON")
                .contains("it has no value")
                .contains("its id is not 32 hexadecimal digits");
    }

    @Test
    void a_letter_that_was_written_again_after_a_replay_is_one() throws Exception {
        DeadLetter letter = stage.letter(Reason.UNDELIVERABLE, 7, enriched(7), 12);
        stage.letter(letter);
        stage.letter(letter);

        Run run = stage.redrive(Reason.UNDELIVERABLE);

        assertThat(run.result()).isEqualTo(new Redrive.Result(1, 0));
        assertThat(stage.committed(stage.topics().deliveryRetry())).hasSize(1);
    }

    @Test
    void letters_of_another_installation_are_left_alone() throws Exception {
        stage.letter(DeadLetter.of(
                Reason.INVALID,
                "decode",
                "bad",
                5,
                new DeadLetter.Source("other.events", 0, 0, 5),
                EventId.of(1L),
                new byte[] {1},
                List.of()));

        Run run = stage.redrive(Reason.INVALID);

        assertThat(run.result()).isEqualTo(new Redrive.Result(0, 1));
        assertThat(run.text()).contains("it came from the topic 'other.events', which is none of kafka.topics.events");
    }

    @Test
    void large_letters_pass_one_after_the_other() throws Exception {
        String topic = stage.topics().events();
        for (int i = 0; i < 6; i++) {
            byte[] value = random(5 << 20);
            stage.letter(Reason.OVERSIZE, stage.send(topic, i, "{\"id\":" + i + "}", value, new RecordHeaders()), null);
        }
        Asked asked = new Asked(Reason.OVERSIZE);
        asked.maxRecordBytes = 8 << 20;

        assertThat(stage.redrive(asked).result()).isEqualTo(new Redrive.Result(6, 0));

        assertThat(stage.committed(topic)).hasSize(12);
    }

    private static byte[] random(int bytes) {
        byte[] random = new byte[bytes];
        new Random(bytes).nextBytes(random);
        return random;
    }

    private static void sql(String sql) throws Exception {
        try (Connection connection = stage.postgres().connect();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
