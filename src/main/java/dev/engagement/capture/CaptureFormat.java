package dev.engagement.capture;

/** How capture writes keys and values. */
public enum CaptureFormat {
    /** JSON, without schemas. */
    JSON,
    /** Avro, by schemas of a registry. */
    AVRO
}
