package dev.engagement.audit;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.engagement.audit.AuditReport.Destination;
import dev.engagement.audit.AuditReport.Finding;
import dev.engagement.audit.AuditReport.Item;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.List;

/** The report for a program: one object. Fields are added and never renamed. */
final class ReportJson {

    private static final JsonFactory FACTORY = new JsonFactory();

    private ReportJson() {}

    static String of(AuditReport report, boolean withRepairs) {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = FACTORY.createGenerator(text)) {
            json.writeStartObject();
            json.writeBooleanField("equal", report.isEqual());
            json.writeStringField("from", report.from().toString());
            json.writeStringField("to", report.to().toString());
            json.writeNumberField("events", report.events());
            json.writeNumberField("duration_ms", report.durationMs());
            json.writeArrayFieldStart("destinations");
            for (Destination destination : report.destinations()) {
                destination(json, destination, withRepairs);
            }
            json.writeEndArray();
            texts(json, "notes", report.notes());
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException("Writing JSON into memory failed", e);
        }
        return text.toString();
    }

    private static void destination(JsonGenerator json, Destination destination, boolean withRepairs)
            throws IOException {
        json.writeStartObject();
        json.writeStringField("destination", destination.name());
        json.writeStringField("compared", destination.what());
        json.writeNumberField("expected", destination.expected());
        json.writeNumberField("there", destination.present());
        Long durations = destination.durationMs();
        if (durations != null) {
            json.writeNumberField("duration_ms", durations);
        }
        json.writeArrayFieldStart("findings");
        for (Finding finding : destination.findings()) {
            json.writeStartObject();
            json.writeStringField("kind", finding.kind().text());
            json.writeBooleanField("difference", finding.kind().isDifference());
            json.writeNumberField("count", finding.count());
            if (finding.note() != null) {
                json.writeStringField("note", finding.note());
            }
            json.writeArrayFieldStart("listed");
            for (Item item : finding.listed()) {
                json.writeStartObject();
                json.writeStringField("id", item.id());
                if (item.detail() != null) {
                    json.writeStringField("detail", item.detail());
                }
                json.writeEndObject();
            }
            json.writeEndArray();
            if (withRepairs) {
                texts(json, "repairs", finding.repairs());
            }
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private static void texts(JsonGenerator json, String name, List<String> texts) throws IOException {
        json.writeArrayFieldStart(name);
        for (String text : texts) {
            json.writeString(text);
        }
        json.writeEndArray();
    }
}
