package dev.engagement.audit;

import dev.engagement.audit.AuditReport.Destination;
import dev.engagement.audit.AuditReport.Finding;
import dev.engagement.audit.AuditReport.Item;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The report for a terminal: totals, then what was found. */
final class ReportText {

    private ReportText() {}

    static String of(AuditReport report, boolean withRepairs) {
        StringBuilder text = new StringBuilder();
        text.append(String.format(
                Locale.ROOT,
                "Audit of [%s, %s): %d events in PostgreSQL, sum of duration_ms %d\n\n",
                report.from(),
                report.to(),
                report.events(),
                report.durationMs()));
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("destination", "compared", "expected", "there", "sum of duration_ms"));
        for (Destination destination : report.destinations()) {
            Long durations = destination.durationMs();
            rows.add(List.of(
                    destination.name(),
                    destination.what(),
                    Long.toString(destination.expected()),
                    Long.toString(destination.present()),
                    durations == null ? "-" : durations.toString()));
        }
        table(text, rows);
        boolean first = true;
        for (Destination destination : report.destinations()) {
            for (Finding finding : destination.findings()) {
                if (first) {
                    text.append('\n');
                    first = false;
                }
                finding(text, destination, finding, withRepairs);
            }
        }
        text.append('\n');
        report.notes().forEach(note -> text.append(note).append(".\n"));
        text.append(report.isEqual() ? "EQUAL\n" : "DIFFERENT\n");
        return text.toString();
    }

    private static void table(StringBuilder text, List<List<String>> rows) {
        int columns = rows.get(0).size();
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder("  ");
            for (int column = 0; column < columns; column++) {
                int at = column;
                int width = rows.stream()
                        .mapToInt(each -> each.get(at).length())
                        .max()
                        .orElse(0);
                String cell = row.get(column);
                String space = " ".repeat(width - cell.length());
                // Words to the left, numbers to the right.
                line.append(column < 2 ? cell + space : space + cell).append("  ");
            }
            text.append(line.toString().stripTrailing()).append('\n');
        }
    }

    private static void finding(StringBuilder text, Destination destination, Finding finding, boolean withRepairs) {
        text.append("  ")
                .append(destination.name())
                .append(": ")
                .append(finding.count())
                .append(' ')
                .append(finding.kind().text());
        if (finding.note() != null) {
            text.append(" (").append(finding.note()).append(')');
        }
        text.append('\n');
        for (Item item : finding.listed()) {
            text.append("    ").append(item.id());
            if (item.detail() != null) {
                text.append("  ").append(item.detail());
            }
            text.append('\n');
        }
        if (finding.listed().size() < finding.count() && !finding.listed().isEmpty()) {
            text.append("    and ")
                    .append(finding.count() - finding.listed().size())
                    .append(" more\n");
        }
        if (withRepairs && !finding.repairs().isEmpty()) {
            text.append("    mended by\n");
            finding.repairs()
                    .forEach(command -> text.append("      ").append(command).append('\n'));
        }
    }
}
