package dev.engagement.rollup.definition;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RollupDefinitionsTest {

    // ----------------------------------------------------------------------------------------------- the shipped ones

    @Test
    void shipped_ones_are_seven_in_their_order() {
        assertThat(RollupDefinitions.shipped())
                .extracting(RollupDefinition::name)
                .isEqualTo(RollupDefinitions.shippedNames())
                .containsExactly(
                        "metrics_30s",
                        "content_views",
                        "category_activity",
                        "category_revenue",
                        "audience",
                        "completion",
                        "hourly");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "metrics_30s|metrics|window_start,window_size,event_type"
                        + "|window_end,count,total_value,unique_users,unique_users_exact",
                "content_views|content_view_window|window_start,content_id|window_end,view_count",
                "category_activity|category_activity_window|window_start,category|window_end,event_count",
                "category_revenue|category_revenue_window|window_start,category|window_end,total_revenue",
                "audience|content_audience|window_start,content_id"
                        + "|window_end,active_users,seconds,unique_users_exact",
                "completion|content_completion|window_start,content_id"
                        + "|window_end,started,reached_25,reached_50,reached_75,finished,unique_users_exact",
                "hourly|engagement_hourly|window_start,content_type,device"
                        + "|window_end,count,seconds,unique_users,unique_users_exact",
            })
    void shipped_tables_have_these_columns_in_this_order(String name, String table, String key, String others) {
        RollupDefinition definition = shipped(name);

        assertThat(definition.table()).isEqualTo(table);
        assertThat(definition.keyColumns()).containsExactly(key.split(","));
        assertThat(String.join(",", definition.columns())).isEqualTo(key + "," + others + ",skipped,version");
    }

    @ParameterizedTest
    @CsvSource({
        "metrics_30s, 30s, 10000, 10000, true",
        "content_views, 2m, 120000, 120000, false",
        "category_activity, 2m, 120000, 120000, false",
        "category_revenue, 2m, 120000, 120000, false",
        "audience, 5m, 30000, 30000, false",
        "completion, 1h, 3600000, 3600000, false",
        "hourly, 1h, 3600000, 3600000, false",
    })
    void shipped_windows_are_these(String name, String size, long slideMillis, long paneMillis, boolean isMetric) {
        RollupDefinition definition = shipped(name);

        assertThat(definition.windowSizeText()).isEqualTo(size);
        assertThat(definition.slideMillis()).isEqualTo(slideMillis);
        assertThat(definition.paneMillis()).isEqualTo(paneMillis);
        assertThat(definition.hasWindowSize()).isEqualTo(isMetric);
        assertThat(definition.isMetric()).isEqualTo(isMetric);
        assertThat(definition.retention()).isEqualTo(Duration.ofDays(30));
        assertThat(definition.live()).isTrue();
    }

    @Test
    void shipped_measures_and_filters_are_these() {
        assertThat(shipped("metrics_30s").measures())
                .containsExactly(
                        new Measure("count", Measure.Function.COUNT, null, null),
                        new Measure("total_value", Measure.Function.SUM, "value", null),
                        new Measure("unique_users", Measure.Function.UNIQUE, null, null));
        assertThat(shipped("content_views").where()).isEqualTo(new Filter(Set.of("play"), Set.of()));
        assertThat(shipped("category_activity").by())
                .containsExactly(new KeyPart("category", KeyPart.Source.CONTENT_TYPE, null));
        assertThat(shipped("category_revenue").measures())
                .containsExactly(new Measure("total_revenue", Measure.Function.SUM, "price", null));
        assertThat(shipped("audience").measures())
                .containsExactly(
                        new Measure("active_users", Measure.Function.UNIQUE, null, null),
                        new Measure("seconds", Measure.Function.SUM_SECONDS, null, null));
        assertThat(shipped("completion").measures())
                .containsExactly(
                        users("started", new Condition.EventTypeIn(Set.of("play"))),
                        users("reached_25", new Condition.PctAtLeast(new BigDecimal(25))),
                        users("reached_50", new Condition.PctAtLeast(new BigDecimal(50))),
                        users("reached_75", new Condition.PctAtLeast(new BigDecimal(75))),
                        users("finished", new Condition.EventTypeIn(Set.of("finish"))));
        assertThat(shipped("hourly").by())
                .containsExactly(
                        new KeyPart("content_type", KeyPart.Source.CONTENT_TYPE, null),
                        new KeyPart("device", KeyPart.Source.DEVICE, null));
        assertThat(RollupDefinitions.shipped().stream()
                        .filter(each -> each.where() != null)
                        .map(RollupDefinition::name))
                .containsExactly("content_views");
    }

    // -------------------------------------------------------------------------------------------------- forms of text

    @Test
    void two_properties_are_enough() {
        assertThat(one("window=1 min", "measures=count"))
                .isEqualTo(new RollupDefinition(
                        "mine",
                        List.of(),
                        null,
                        60_000,
                        60_000,
                        List.of(new Measure("count", Measure.Function.COUNT, null, null)),
                        "mine",
                        Duration.ofDays(30),
                        true));
    }

    @Test
    void every_property_is_read() {
        assertThat(one(
                        "by= kind = event_type , raw_payload.shop , window_size ",
                        "where=finish, play ,raw_payload.price,raw_payload.Größe",
                        "window=PT1H",
                        "slide=30 min",
                        "measures=count, seconds=sum_seconds, sum_seconds , total = sum( raw_payload.price ),"
                                + "cheapest=min(raw_payload.price),dearest=max(raw_payload.price),"
                                + "users=unique( user_id ),half=count_if( engagement_pct >= 50.50 ),"
                                + "starts=count_if(event_type = play|resume),thirds=unique_if(engagement_pct>=33.333),"
                                + "starters=unique_if(event_type=play)",
                        "table=elsewhere",
                        "retention=90 d",
                        "live=false"))
                .isEqualTo(new RollupDefinition(
                        "mine",
                        List.of(
                                new KeyPart("window_size", KeyPart.Source.WINDOW_SIZE, null),
                                new KeyPart("kind", KeyPart.Source.EVENT_TYPE, null),
                                new KeyPart("shop", KeyPart.Source.PAYLOAD, "shop")),
                        new Filter(Set.of("play", "finish"), Set.of("price", "Größe")),
                        3_600_000,
                        1_800_000,
                        List.of(
                                new Measure("count", Measure.Function.COUNT, null, null),
                                new Measure("seconds", Measure.Function.SUM_SECONDS, null, null),
                                new Measure("sum_seconds", Measure.Function.SUM_SECONDS, null, null),
                                new Measure("total", Measure.Function.SUM, "price", null),
                                new Measure("cheapest", Measure.Function.MIN, "price", null),
                                new Measure("dearest", Measure.Function.MAX, "price", null),
                                new Measure("users", Measure.Function.UNIQUE, null, null),
                                new Measure(
                                        "half",
                                        Measure.Function.COUNT_IF,
                                        null,
                                        new Condition.PctAtLeast(new BigDecimal("50.5"))),
                                new Measure(
                                        "starts",
                                        Measure.Function.COUNT_IF,
                                        null,
                                        new Condition.EventTypeIn(Set.of("play", "resume"))),
                                users("thirds", new Condition.PctAtLeast(new BigDecimal("33.333"))),
                                users("starters", new Condition.EventTypeIn(Set.of("play")))),
                        "elsewhere",
                        Duration.ofDays(90),
                        false));
    }

    @ParameterizedTest
    @CsvSource({
        "30 s, 30s",
        "90s, 90s",
        "90 sec, 90s",
        "2 min, 2m",
        "120 s, 2m",
        "3 m, 3m",
        "1 minute, 1m",
        "60 minutes, 1h",
        "1 h, 1h",
        "12 hours, 12h",
        "24 h, 1d",
        "1 day, 1d",
        "5000 ms, 5s",
        "PT1M30S, 90s",
        "P1D, 1d",
    })
    void a_window_is_a_duration_and_named_by_its_largest_unit(String text, String size) {
        assertThat(one("window=" + text, "measures=count").windowSizeText()).isEqualTo(size);
    }

    @Test
    void an_empty_key_is_one_total() {
        RollupDefinition total = one("by=", "where=", "window=1 h", "measures=count");

        assertThat(total.by()).isEmpty();
        assertThat(total.where()).isNull();
        assertThat(total.columns()).containsExactly("window_start", "window_end", "count", "skipped", "version");
    }

    @Test
    void the_size_of_the_window_is_first_in_the_key_and_not_part_of_an_events_key() {
        RollupDefinition definition = one("by=device,window_size", "window=1 h", "measures=count");

        assertThat(definition.keyColumns()).containsExactly("window_start", "window_size", "device");
        assertThat(definition.eventKey()).containsExactly(new KeyPart("device", KeyPart.Source.DEVICE, null));
        assertThat(definition.isMetric()).isFalse();
    }

    @Test
    void a_shop_is_three_definitions() {
        List<RollupDefinition> shop = RollupDefinitions.parse(
                List.of("product_views", "category_views", "category_sales"),
                properties(
                        "product_views.by=raw_payload.product_id",
                        "product_views.where=product_view",
                        "product_views.window=2 min",
                        "product_views.measures=view_count=count",
                        "product_views.table=product_view_window",
                        "category_views.by=raw_payload.category",
                        "category_views.where=product_view",
                        "category_views.window=2 min",
                        "category_views.measures=event_count=count",
                        "category_sales.by=raw_payload.category",
                        "category_sales.where=purchase",
                        "category_sales.window=2 min",
                        "category_sales.measures=total_revenue=sum(raw_payload.price)"));

        assertThat(shop)
                .extracting(RollupDefinition::columns)
                .containsExactly(
                        List.of("window_start", "product_id", "window_end", "view_count", "skipped", "version"),
                        List.of("window_start", "category", "window_end", "event_count", "skipped", "version"),
                        List.of("window_start", "category", "window_end", "total_revenue", "skipped", "version"));
    }

    // --------------------------------------------------------------------------------------- a user's and the shipped

    @Test
    void a_user_overrides_single_properties_of_a_shipped_one() {
        RollupDefinition hourly = RollupDefinitions.parse(
                        List.of("hourly"), properties("hourly.retention=400 d", "hourly.live=false"))
                .get(0);

        assertThat(hourly)
                .isEqualTo(new RollupDefinition(
                        "hourly",
                        shipped("hourly").by(),
                        null,
                        3_600_000,
                        3_600_000,
                        shipped("hourly").measures(),
                        "engagement_hourly",
                        Duration.ofDays(400),
                        false));
    }

    @Test
    void a_word_stands_for_all_that_are_shipped() {
        List<RollupDefinition> definitions = RollupDefinitions.parse(
                List.of("mine", "shipped"),
                properties("mine.window=1 min", "mine.measures=count", "audience.window=10 min"));

        assertThat(definitions).hasSize(8);
        assertThat(definitions.get(0).name()).isEqualTo("mine");
        assertThat(definitions.get(5).windowSizeText()).isEqualTo("10m");
    }

    @Test
    void one_that_is_not_named_is_not_there() {
        assertThat(RollupDefinitions.parse(List.of("hourly", "audience"), Map.of()))
                .containsExactly(shipped("hourly"), shipped("audience"));
    }

    // ------------------------------------------------------------------------------------------------ what is refused

    @ParameterizedTest
    @CsvSource(
            delimiter = '!',
            quoteCharacter = '"',
            value = {
                // The key.
                "by=contentid ! rollup.mine.by is 'contentid'; 'contentid' is nothing that events are counted by: by is up"
                        + " to three of event_type, content_id, content_type, device and raw_payload.FIELD",
                "by=user_id ! 'user_id' is nothing that events are counted by",
                "by=device, ! rollup.mine.by is 'device,'; it has an empty place",
                "by=Device=device ! rollup.mine.by has 'Device=device', and its column 'Device' cannot be one of PostgreSQL",
                "by==device ! its column '' cannot be one of PostgreSQL",
                "by=raw_payload ! 'raw_payload' is no field; it must be raw_payload.FIELD",
                "by=raw_payload.a.b ! 'raw_payload.a.b' is no field",
                "by=raw_payload.productId ! rollup.mine.by has 'raw_payload.productId', and its column 'productId' cannot be"
                        + " one of PostgreSQL; a column is lower-case letters, digits and underscores, at most 63 of them, not"
                        + " beginning with a digit: give it another name, NAME=raw_payload.productId",
                "by=event_type,content_id,content_type,device ! a key has 3 parts at most, not counting window_size",
                "by=device,d=device ! it names device twice: leave one",
                "by=raw_payload.a,b=raw_payload.a ! it names raw_payload.a twice",
                "by=x=device,x=event_type ! has 'x=event_type', and its column 'x' is in rollup.mine.by already",
                "by=size=window_size ! window_size keeps its name: leave 'size=' off",
                "by=window_size=device ! its column 'window_size' is one that a rollup has already",
                "by=version=device ! its column 'version' is one that a rollup has already",
                "by=ctid=device ! its column 'ctid' is one of PostgreSQL's own: give it another name, NAME=device",
                "by=count=device ! has 'count=count', and its column 'count' is in rollup.mine.by already",
                // The filter.
                "where=play, ,finish ! rollup.mine.where is 'play, ,finish'; it has an empty place: where is event types",
                "where=play finish ! 'play finish' is no event type",
                "where=event_type=play ! 'event_type=play' is no event type",
                "where=device ! 'device' is no event type",
                "where=play,play ! it names 'play' twice",
                "where=raw_payload. ! 'raw_payload.' is no field",
                // The windows.
                "window=30 ! rollup.mine.window is '30'; it has no unit; it must be a duration such as 30 s",
                "window=soon ! rollup.mine.window is 'soon'; it must be a duration",
                "window=-1 s ! rollup.mine.window is '-1 s'; it must be a duration",
                "window=PT-1S ! in whole milliseconds, 0 s to 36500 d",
                "window=PT0.0001S ! in whole milliseconds",
                "window=99999999999999999999 d ! it must be a duration",
                "window= ! rollup.mine.window is empty; give it, such as rollup.mine.window=1 min",
                "window=500 ms ! rollup.mine.window is 500 ms; it must be whole seconds, 1 s to 1 d",
                "window=1500 ms ! rollup.mine.window is 1500 ms; it must be whole seconds",
                "window=25 h ! rollup.mine.window is 25 h; it must be whole seconds, 1 s to 1 d",
                "slide=0 s ! rollup.mine.slide is 0 s; it must be whole seconds, at least 1 s",
                "slide=500 ms ! rollup.mine.slide is 500 ms; it must be whole seconds, at least 1 s",
                "slide=40 s ! rollup.mine.window is 1 min and rollup.mine.slide is 40 s; the window must be a multiple of"
                        + " the slide, such as 40 s or 80 s, or leave the slide out",
                "slide=2 min ! the window must be a multiple of the slide, such as 2 min, or leave",
                "slide= ! rollup.mine.slide is ''; it must be a duration",
                // The measures.
                "measures= ! rollup.mine.measures is empty; give it, such as rollup.mine.measures=count",
                "measures=a=avg(raw_payload.x) ! rollup.mine.measures is 'a=avg(raw_payload.x)'; 'a=avg(raw_payload.x)' is no"
                        + " measure: measures are NAME=FUNCTION, comma separated, with count, sum_seconds",
                "measures=views ! 'views' is no measure",
                "measures=count,,c=count ! it has an empty place",
                "measures=c=count(*) ! 'c=count(*)' is of a function that takes nothing in parentheses",
                "measures=s=sum ! '' is no field; it must be raw_payload.FIELD",
                "measures=s=sum(price) ! 'price' is no field; it must be raw_payload.FIELD",
                "measures=s=sum(raw_payload.a.b) ! 'raw_payload.a.b' is no field",
                "measures=s=sum(raw_payload.a ! 's=sum(raw_payload.a' is no measure",
                "measures=sum(raw_payload.price) ! 'sum(raw_payload.price)' has no name",
                "measures=u=unique(content_id) ! 'u=unique(content_id)' counts no users; it must be unique(user_id)",
                "measures=u=unique ! it must be unique(user_id)",
                "measures=c=count_if ! '' is no condition; a condition is engagement_pct >= PERCENT or event_type = TYPE",
                "measures=c=count_if(device = tv) ! 'device = tv' is no condition",
                "measures=c=count_if(engagement_pct > 50) ! 'engagement_pct > 50' is no condition",
                "measures=c=count_if(engagement_pct >= 0.5) ! engagement_pct is compared with a percentage: 1 to 1000",
                "measures=c=count_if(engagement_pct >= 1001) ! 1 to 1000, at most 3 digits after the point",
                "measures=c=count_if(engagement_pct >= 33.3333) ! at most 3 digits after the point",
                "measures=c=count_if(event_type = play,finish) ! 'play,finish' is no event type",
                "measures=c=count_if(event_type = play|) ! '' is no event type",
                "measures=c=unique_if(event_type = play|play) ! names play twice",
                "measures=c=count,c=sum_seconds ! has 'c=sum_seconds', and its column 'c' is in rollup.mine.measures already",
                "measures=Count=count ! its column 'Count' cannot be one of PostgreSQL",
                "measures=window_end=count ! its column 'window_end' is one that a rollup has already",
                "measures=unique_users_exact=count ! its column 'unique_users_exact' is one that a rollup has already",
                "measures=skipped=count ! its column 'skipped' is one that a rollup has already",
                "measures=rollup=count ! its column 'rollup' is one that a rollup has already, in its table or its JSON",
                // The rest.
                "table=analytics.mine ! rollup.mine.table is 'analytics.mine'; it must be a table's name without a schema",
                "table=Mine ! rollup.mine.table is 'Mine'",
                "table= ! rollup.mine.table is ''",
                "retention=1 h ! rollup.mine.retention is 1 h and rollup.mine.window 1 min; rows must be kept for the window"
                        + " and 1 h behind it, which is 61 min",
                "retention=for ever ! rollup.mine.retention is 'for ever'; it must be a duration",
                "live=yes ! rollup.mine.live is 'yes'; it must be true or false",
                "windwo=1 min ! rollup.mine.windwo is '1 min'; a rollup has no such property, but by, where, window, slide,"
                        + " measures, table, retention, live",
            })
    void what_makes_no_sense_is_refused_with_key_value_and_way_out(String property, String message) {
        Map<String, String> properties = new TreeMap<>(properties("mine.window=1 min", "mine.measures=count=count"));
        properties.putAll(properties("mine." + property));

        assertThat(problems(List.of("mine"), properties))
                .singleElement()
                .asString()
                .contains(message);
    }

    @Test
    void an_event_is_in_a_hundred_windows_at_most() {
        assertThat(one("window=100 s", "slide=1 s", "measures=count").paneMillis())
                .isEqualTo(1_000);
        assertThat(problems(List.of("mine"), properties("mine.window=1 h", "mine.slide=10 s", "mine.measures=count")))
                .containsExactly("rollup.mine.window is 1 h and rollup.mine.slide is 10 s, so that an event is in 360"
                        + " windows; it may be in 100: make the slide 36 s");
        // 997 is a prime.
        assertThat(problems(List.of("mine"), properties("mine.window=997 s", "mine.slide=1 s", "mine.measures=count")))
                .singleElement()
                .asString()
                .endsWith("make the slide 997 s");
    }

    @Test
    void windows_and_measures_have_to_be_given() {
        assertThat(problems(List.of("mine"), properties("mine.by=device")))
                .containsExactly(
                        "rollup.mine.window is missing; give it, such as rollup.mine.window=1 min",
                        "rollup.mine.measures is missing; give it, such as rollup.mine.measures=count");
    }

    @Test
    void all_that_is_wrong_is_told_at_once() {
        assertThat(problems(
                        List.of("mine", "yours", "hourly"),
                        properties(
                                "mine.by=city,version=device",
                                "mine.window=1 min",
                                "mine.slide=40 s",
                                "mine.measures=median,c=count,c=count",
                                "mine.retention=1 min",
                                "hourly.live=no",
                                "other.window=1 min")))
                .hasSize(9)
                .allSatisfy(problem -> assertThat(problem).startsWith("rollup"));
    }

    @Test
    void the_message_holds_every_problem() {
        assertThatThrownBy(() -> RollupDefinitions.parse(List.of("mine"), properties("mine.by=device")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("rollup.mine.window is missing", "rollup.mine.measures is missing");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "Mine", "my-rollup", "30s", "_mine", "a23456789012345678901234567890123456789_1"})
    void a_name_is_short_and_lower_case(String name) {
        assertThat(problems(List.of(name), Map.of()))
                .containsExactly("rollups names '" + name + "'; a rollup's name is lower-case letters, digits and"
                        + " underscores, at most 40 of them, beginning with a letter");
    }

    @Test
    void the_name_of_the_database_is_reserved() {
        assertThat(problems(List.of("postgres"), Map.of()))
                .containsExactly(
                        "rollups names 'postgres', and rollup.postgres.* says where the tables are; give the rollup"
                                + " another name");
    }

    @Test
    void the_word_for_the_shipped_ones_is_no_rollup() {
        assertThat(problems(List.of("shipped"), properties("shipped.live=false")))
                .singleElement()
                .asString()
                .startsWith("rollup.shipped.live is 'false', and 'shipped' is no rollup")
                .contains("name the one that is meant: metrics_30s, content_views,");
        assertThatThrownBy(() -> total("shipped", "t", 60_000)).hasMessageContaining("called 'shipped'");
    }

    @Test
    void rollups_have_to_be_named_and_defined() {
        assertThat(problems(List.of(), Map.of()))
                .containsExactly("rollups is empty; name at least one, or 'shipped' for all that are shipped, or leave"
                        + " rollups out of destinations");
        assertThat(problems(List.of("mine"), Map.of()))
                .singleElement()
                .asString()
                .startsWith("rollups names 'mine', which is not defined; give rollup.mine.by, rollup.mine.window and"
                        + " rollup.mine.measures, or name one that is shipped: metrics_30s,");
        assertThat(problems(List.of("hourly", "audience"), properties("mine.window=1 min", "metrics_30s.live=false")))
                .containsExactly(
                        "rollup.metrics_30s.live is 'false', and rollups is 'hourly,audience', which does not name"
                                + " 'metrics_30s'; add it to rollups, or leave this out",
                        "rollup.mine.window is '1 min', and rollups is 'hourly,audience', which does not name 'mine'; add it"
                                + " to rollups, or leave this out");
        assertThat(problems(List.of("hourly", "hourly"), Map.of()))
                .containsExactly("rollups is 'hourly,hourly' and names 'hourly' twice; leave one");
        assertThat(problems(List.of("shipped", "hourly"), Map.of()))
                .containsExactly("rollups is 'shipped,hourly' and names 'hourly' twice, as 'shipped' stands for it too;"
                        + " leave one");
        assertThat(problems(List.of("hourly"), Map.of("mine", "x")))
                .singleElement()
                .asString()
                .startsWith("rollup.mine is 'x'; a rollup is defined by rollup.NAME.PROPERTY");
    }

    @Test
    void a_table_is_of_one_rollup() {
        assertThat(problems(
                        List.of("audience", "mine"),
                        properties("mine.window=1 min", "mine.measures=count", "mine.table=content_audience")))
                .containsExactly(
                        "rollup.audience.table and rollup.mine.table are both 'content_audience'; give one another"
                                + " table: rollups share one only if they differ in window, and slide, alone and have window_size in"
                                + " by");
    }

    @Test
    void rollups_that_differ_in_window_alone_share_a_table_if_it_tells_them_apart() {
        String[] shared = {
            "metrics_5m.by=event_type,window_size",
            "metrics_5m.window=5 min",
            "metrics_5m.measures=count=count,total_value=sum(raw_payload.value),unique_users=unique(user_id)",
            "metrics_5m.table=metrics",
            "metrics_5m.retention=90 d"
        };
        List<String> names = List.of("metrics_30s", "metrics_5m");

        assertThat(RollupDefinitions.parse(names, properties(shared)))
                .extracting(RollupDefinition::columns)
                .containsExactly(
                        shipped("metrics_30s").columns(), shipped("metrics_30s").columns());

        for (String change : List.of(
                "metrics_5m.by=event_type",
                "metrics_5m.where=play",
                "metrics_5m.measures=count,total_value=max(raw_payload.value),unique_users=unique(user_id)")) {
            Map<String, String> changed = new TreeMap<>(properties(shared));
            changed.putAll(properties(change));
            assertThat(problems(names, changed))
                    .as(change)
                    .singleElement()
                    .asString()
                    .contains("are both 'metrics'");
        }
    }

    @Test
    void redis_shows_one_metric_of_an_event_type_and_a_size() {
        String[] other = {"mine.by=window_size,event_type", "mine.window=30 s", "mine.measures=seconds=sum_seconds"};
        List<String> names = List.of("metrics_30s", "mine");

        assertThat(problems(names, properties(other)))
                .containsExactly(
                        "rollups has 'metrics_30s' and 'mine', both by window_size,event_type with a window of 30 s,"
                                + " which Redis would show as one, metric:EVENT_TYPE:30s; set rollup.mine.live=false, or leave"
                                + " window_size out of rollup.mine.by");

        Map<String, String> hidden = new TreeMap<>(properties(other));
        hidden.put("mine.live", "false");
        assertThat(RollupDefinitions.parse(names, hidden)).hasSize(2);
    }

    @Test
    void a_definition_that_is_built_by_hand_is_checked_too() {
        assertThatThrownBy(() -> total("mine", "t", 1_500)).hasMessageContaining("whole seconds");
        assertThatThrownBy(() -> total("mine", "no table", 60_000)).hasMessageContaining("rollup.mine.table");
        assertThatThrownBy(() -> total("No", "t", 60_000)).hasMessageContaining("rollups names 'No'");
        assertThatThrownBy(() -> new RollupDefinition(
                        "mine", List.of(), null, 60_000, 60_000, List.of(), "t", Duration.ofDays(1), true))
                .hasMessage("rollup.mine.measures is empty; give at least one, such as rollup.mine.measures=count");
        assertThatThrownBy(() -> new KeyPart("a", KeyPart.Source.DEVICE, "b"))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new KeyPart("a", KeyPart.Source.PAYLOAD, null))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Measure("a", Measure.Function.SUM, null, null))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Measure("a", Measure.Function.COUNT_IF, null, null))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Condition.EventTypeIn(Set.of())).isInstanceOf(IllegalArgumentException.class);
    }

    // --------------------------------------------------------------------------------------------------- what it says

    @Test
    void fingerprint_is_of_what_gives_the_numbers_a_meaning() {
        RollupDefinition metrics = shipped("metrics_30s");

        // Kept in savepoints.
        assertThat(metrics.fingerprint())
                .isEqualTo("by=window_size,event_type;where=;measures=count=count,total_value=sum(raw_payload.value),"
                        + "unique_users=unique(user_id);window=30s;slide=10s");
        assertThat(shipped("completion").fingerprint())
                .isEqualTo("by=content_id;where=;measures=started=unique_if(event_type = play),"
                        + "reached_25=unique_if(engagement_pct >= 25),reached_50=unique_if(engagement_pct >= 50),"
                        + "reached_75=unique_if(engagement_pct >= 75),finished=unique_if(event_type = finish)"
                        + ";window=1h;slide=1h");
        assertThat(one("where=raw_payload.b,b,a,raw_payload.a", "window=1 h", "measures=count")
                        .fingerprint())
                .isEqualTo("by=;where=a,b,raw_payload.a,raw_payload.b;measures=count=count;window=1h;slide=1h");

        assertThat(override("metrics_30s", "table=t", "retention=3 d", "live=false")
                        .fingerprint())
                .isEqualTo(metrics.fingerprint());
        for (String change : List.of(
                "by=event_type",
                "where=play",
                "window=1 min",
                "slide=30 s",
                "measures=count,unique_users=unique(user_id)")) {
            assertThat(override("metrics_30s", change).fingerprint()).as(change).isNotEqualTo(metrics.fingerprint());
        }
    }

    @Test
    void measures_that_count_users_are_found() {
        assertThat(shipped("metrics_30s").uniqueMeasures())
                .extracting(Measure::column)
                .containsExactly("unique_users");
        assertThat(shipped("completion").uniqueMeasures()).hasSize(5);
        assertThat(shipped("content_views").uniqueMeasures()).isEmpty();
        assertThat(shipped("content_views").countsUsers()).isFalse();
        assertThat(shipped("audience").countsUsers()).isTrue();
    }

    @Test
    void definitions_travel_in_the_job_graph() throws Exception {
        for (RollupDefinition definition : RollupDefinitions.shipped()) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
                out.writeObject(definition);
            }

            assertThat(bytes.size()).isLessThan(3_000);
            try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
                assertThat(in.readObject()).isEqualTo(definition);
            }
        }
    }

    // -------------------------------------------------------------------------------------------------------- support

    private static RollupDefinition shipped(String name) {
        return RollupDefinitions.shipped().stream()
                .filter(definition -> definition.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static Measure users(String column, Condition condition) {
        return new Measure(column, Measure.Function.UNIQUE_IF, null, condition);
    }

    private static RollupDefinition total(String name, String table, long windowMillis) {
        return new RollupDefinition(
                name,
                List.of(),
                null,
                windowMillis,
                windowMillis,
                List.of(new Measure("count", Measure.Function.COUNT, null, null)),
                table,
                Duration.ofDays(1),
                true);
    }

    /** The definition of a rollup called mine. */
    private static RollupDefinition one(String... properties) {
        return override("mine", properties);
    }

    private static RollupDefinition override(String name, String... properties) {
        Map<String, String> named = new TreeMap<>();
        properties(properties).forEach((property, text) -> named.put(name + "." + property, text));
        return RollupDefinitions.parse(List.of(name), named).get(0);
    }

    private static List<String> problems(List<String> names, Map<String, String> properties) {
        return catchThrowableOfType(RefusedRollupsException.class, () -> RollupDefinitions.parse(names, properties))
                .problems();
    }

    /** Each {@code KEY=VALUE}. */
    private static Map<String, String> properties(String... lines) {
        Map<String, String> properties = new TreeMap<>();
        for (String line : lines) {
            int equals = line.indexOf('=');
            properties.put(line.substring(0, equals), line.substring(equals + 1));
        }
        return properties;
    }
}
