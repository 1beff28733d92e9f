package dev.engagement.warehouse;

import dev.engagement.event.types.ImmutableType;
import dev.engagement.rowstore.CheckpointLineage;
import dev.engagement.rowstore.LineageSerializer;
import org.apache.flink.api.common.typeinfo.TypeInformation;

/** Under the name that checkpoints know it by. */
public final class CheckpointLineageSerializer extends LineageSerializer {

    private static final long serialVersionUID = 1L;

    static final TypeInformation<CheckpointLineage> TYPE =
            ImmutableType.of(CheckpointLineage.class, CheckpointLineageSerializer::new);
}
