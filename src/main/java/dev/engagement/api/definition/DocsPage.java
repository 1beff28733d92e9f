package dev.engagement.api.definition;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * The definition as a page for people: a section for each operation, with a line for a shell that runs. HTML without
 * scripts and without inline style, so that the strictest content security policy lets it through.
 */
public final class DocsPage {

    /** Where the page expects {@link #style}. */
    public static final String STYLE_PATH = "/docs.css";

    private final ApiDefinition definition;
    private final String origin;
    private final StringBuilder html = new StringBuilder(64 * 1024);

    private DocsPage(ApiDefinition definition, String origin) {
        this.definition = definition;
        this.origin = origin;
    }

    /**
     * The page.
     *
     * @param origin how the API is reached, for the examples: such as {@code http://127.0.0.1:8080}, without a slash at
     *     its end
     */
    public static String of(ApiDefinition definition, String origin) {
        return new DocsPage(definition, origin).page();
    }

    /** Its style sheet, {@code text/css}. */
    public static String style() {
        try (InputStream css = DocsPage.class.getResourceAsStream("docs.css")) {
            if (css == null) {
                throw new IllegalStateException("The program is incomplete: docs.css is not in it");
            }
            return new String(css.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("docs.css cannot be read from the program's own files", e);
        }
    }

    private String page() {
        html.append("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        html.append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
        html.append("<title>Engagement: the API</title>\n");
        // Browsers ask for /favicon.ico otherwise, which is not there.
        html.append("<link rel=\"icon\" href=\"/static/icon.svg\" type=\"image/svg+xml\">\n");
        html.append("<link rel=\"stylesheet\" href=\"").append(STYLE_PATH).append("\">\n");
        html.append("</head>\n<body>\n<header>\n");
        element("h1", "Engagement: the API");
        element(
                "p",
                "What the job computes. Every answer says of when it is (as_of), how much time its numbers are about"
                        + " (window, in milliseconds) and whether they are exact; where they are not, by what"
                        + " fraction they may be off (error). Fields are added and never renamed.");
        element(
                "p",
                "Errors are problem documents (RFC 9457) and say what to do. 429 and 503 say with Retry-After in how"
                        + " many seconds to ask again. Where the API has tokens, send one as a header:"
                        + " Authorization: Bearer.");
        html.append("<p>For programs: <a href=\"/openapi.json\">OpenAPI 3.1</a>. For whoever runs it: ");
        html.append("<a href=\"/health/live\">alive</a>, <a href=\"/health/ready\">ready</a>, ");
        html.append("<a href=\"/prometheus\">metrics</a>.</p>\n");
        contents();
        html.append("</header>\n<main>\n");
        definition.operations().forEach(this::section);
        html.append("</main>\n</body>\n</html>\n");
        return html.toString();
    }

    private void contents() {
        html.append("<nav aria-label=\"Operations\">\n<ul>\n");
        for (Operation operation : definition.operations()) {
            html.append("<li><a href=\"#").append(escaped(operation.id())).append("\">");
            html.append(escaped(title(operation))).append("</a></li>\n");
        }
        html.append("</ul>\n</nav>\n");
    }

    private void section(Operation operation) {
        String heading = "heading-" + operation.id();
        html.append("<section id=\"").append(escaped(operation.id()));
        html.append("\" aria-labelledby=\"").append(escaped(heading)).append("\">\n");
        html.append("<h2 id=\"").append(escaped(heading)).append("\">");
        html.append(escaped(operation.summary())).append("</h2>\n");
        html.append("<p><code>").append(escaped(title(operation))).append("</code>");
        List<String> others = operation.paths().subList(1, operation.paths().size());
        if (!others.isEmpty()) {
            html.append(", also at <code>")
                    .append(escaped(String.join(", ", others)))
                    .append("</code>");
        }
        html.append("</p>\n");
        element("p", operation.description());
        code(Curl.of(operation, origin));
        if (!operation.parameters().isEmpty()) {
            parameters(operation.parameters());
        }
        Field body = definition.body(operation.id());
        if (body != null) {
            element("h3", "What is sent");
            fields(body);
        }
        element("h3", "What is answered");
        fields(operation.answer());
        code(Examples.answer(operation.id()).toPrettyString());
        html.append("</section>\n");
    }

    private static String title(Operation operation) {
        return operation.method() + " " + operation.path();
    }

    private void parameters(List<Parameter> parameters) {
        element("h3", "Parameters");
        head("Name", "What it may be", "If left out", "What it is");
        for (Parameter parameter : parameters) {
            row(
                    parameter.name(),
                    bounds(parameter),
                    parameter.required() ? "needed" : parameter.byDefault() == null ? "–" : parameter.byDefault(),
                    parameter.description());
        }
        foot();
    }

    private static String bounds(Parameter parameter) {
        return switch (parameter.type()) {
            case TEXT -> "text of up to " + parameter.max() + " bytes";
            case INTEGER ->
                "whole number" + (parameter.min() == null ? "" : " from " + parameter.min())
                        + (parameter.max() == null ? "" : " to " + parameter.max());
            case INSTANT -> "moment";
            case CHOICE -> String.join(", ", parameter.choices());
        };
    }

    private void fields(Field document) {
        head("Field", "What it holds", "What it is");
        document.fields().forEach(field -> field("", field));
        foot();
    }

    private void field(String above, Field field) {
        String name = above + field.name();
        row(name, type(field) + (field.nullable() ? " or null" : ""), field.description());
        if (field.type() == FieldType.LIST && field.element().isObject()) {
            field.element().fields().forEach(below -> field(name + "[].", below));
        } else if (field.isObject()) {
            field.fields().forEach(below -> field(name + ".", below));
        }
    }

    private static String type(Field field) {
        return switch (field.type()) {
            case TEXT -> "text";
            case INTEGER -> "whole number";
            case DECIMAL -> "number";
            case BOOLEAN -> "true or false";
            case MILLIS -> "milliseconds since the epoch";
            case INSTANT -> "ISO-8601";
            case OBJECT -> field.isAnything() ? "any JSON" : "object";
            case LIST -> field.element().isObject() ? "list of objects" : "list of: " + type(field.element());
        };
    }

    // ------------------------------------------------------------------------------------------------ pieces of HTML

    private void head(String... names) {
        html.append("<div class=\"table\" tabindex=\"0\">\n<table>\n<thead>\n<tr>");
        for (String name : names) {
            html.append("<th scope=\"col\">").append(escaped(name)).append("</th>");
        }
        html.append("</tr>\n</thead>\n<tbody>\n");
    }

    private void row(String name, String... others) {
        html.append("<tr><th scope=\"row\"><code>").append(escaped(name)).append("</code></th>");
        for (String other : others) {
            html.append("<td>").append(escaped(other)).append("</td>");
        }
        html.append("</tr>\n");
    }

    private void foot() {
        html.append("</tbody>\n</table>\n</div>\n");
    }

    private void element(String name, String text) {
        html.append('<').append(name).append('>');
        html.append(escaped(text)).append("</").append(name).append(">\n");
    }

    private void code(String text) {
        html.append("<pre tabindex=\"0\"><code>").append(escaped(text)).append("</code></pre>\n");
    }

    /** As text of an element or of a quoted attribute. */
    private static String escaped(String text) {
        StringBuilder escaped = new StringBuilder(text.length() + 16);
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '&' -> escaped.append("&amp;");
                case '<' -> escaped.append("&lt;");
                case '>' -> escaped.append("&gt;");
                case '"' -> escaped.append("&quot;");
                case '\'' -> escaped.append("&#39;");
                default -> escaped.append(c);
            }
        }
        return escaped.toString();
    }
}
