package dev.engagement.api.read;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.engagement.api.definition.Parameters;
import dev.engagement.rollup.definition.KeyPart;
import dev.engagement.rollup.definition.Measure;
import dev.engagement.rollup.definition.RollupDefinition;
import java.time.Clock;
import java.util.List;

/** {@code rollups}: the configuration's, which is the same for as long as this process lives. */
final class RollupsRead implements Read {

    private final List<RollupDefinition> rollups;
    private final Clock clock;

    RollupsRead(List<RollupDefinition> rollups, Clock clock) {
        this.rollups = rollups;
        this.clock = clock;
    }

    @Override
    public Answer answer(Parameters parameters) {
        ObjectNode body = AnswerJson.newObject();
        ArrayNode list = body.putArray("rollups");
        for (RollupDefinition rollup : rollups) {
            ObjectNode each = list.addObject();
            each.put("name", rollup.name());
            each.put("table", rollup.table());
            ArrayNode by = each.putArray("by");
            rollup.eventKey().stream().map(KeyPart::column).forEach(by::add);
            each.put("window_size", rollup.windowSizeText());
            each.put("window_ms", rollup.windowMillis());
            each.put("slide_ms", rollup.slideMillis());
            ArrayNode measures = each.putArray("measures");
            rollup.measures().stream().map(Measure::column).forEach(measures::add);
            each.put("live", rollup.live());
        }
        return new Answer(AnswerJson.finish(body, clock.instant(), null, true), AnswerCache.MAX_AGE_SECONDS);
    }
}
