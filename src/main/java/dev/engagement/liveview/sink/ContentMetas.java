package dev.engagement.liveview.sink;

import dev.engagement.event.Content;
import dev.engagement.event.ContentChange;
import dev.engagement.event.types.EventTypes;
import dev.engagement.liveview.LiveValue;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;

/**
 * Turns content changes into absolute values: a text that a change left out is filled in from what was known before.
 * Keyed by content id; {@code ReadToEnd} has none and stays outside.
 */
public final class ContentMetas extends KeyedProcessFunction<String, ContentChange, LiveValue> {

    private static final long serialVersionUID = 1L;

    /** The content as it was last shown. */
    static final ValueStateDescriptor<Content> SHOWN = new ValueStateDescriptor<>("shown", EventTypes.CONTENT);

    private transient ValueState<Content> shown;

    @Override
    public void open(OpenContext context) {
        shown = getRuntimeContext().getState(SHOWN);
    }

    @Override
    public void processElement(ContentChange change, Context context, Collector<LiveValue> out) throws Exception {
        if (change instanceof ContentChange.Put put) {
            Content content = put.unchanged().fill(put.content(), shown.value());
            shown.update(content);
            out.collect(new LiveValue.Meta(content, put.position().offset()));
        } else if (change instanceof ContentChange.Delete delete) {
            shown.clear();
            out.collect(
                    new LiveValue.MetaGone(delete.contentId(), delete.position().offset()));
        }
    }
}
