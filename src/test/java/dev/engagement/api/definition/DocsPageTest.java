package dev.engagement.api.definition;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class DocsPageTest {

    private static final String ORIGIN = "http://127.0.0.1:8080";
    private static final String PAGE = DocsPage.of(ApiDefinition.get(), ORIGIN);
    private static final Pattern TAG = Pattern.compile("<(/?)([a-z0-9]+)([^>]*)>");
    private static final Set<String> WITHOUT_END = Set.of("meta", "link");

    static List<Operation> operations() {
        return ApiDefinition.get().operations();
    }

    @ParameterizedTest
    @MethodSource("operations")
    void every_operation_has_a_section_with_its_parameters_and_fields(Operation operation) {
        int start = PAGE.indexOf("<section id=\"" + operation.id() + "\"");
        assertThat(start).isPositive();
        String section = PAGE.substring(start, PAGE.indexOf("</section>", start));

        assertThat(section).contains(operation.method() + " " + operation.path());
        operation.paths().forEach(path -> assertThat(section).contains(path));
        operation.parameters().forEach(parameter -> assertThat(section)
                .contains("<code>" + parameter.name() + "</code>"));
        operation.answer().fields().forEach(field -> assertThat(section).contains("<code>" + field.name() + "</code>"));
        assertThat(PAGE).contains("<a href=\"#" + operation.id() + "\">");
    }

    @ParameterizedTest
    @MethodSource("operations")
    void every_section_has_its_line_for_a_shell(Operation operation) {
        assertThat(unescaped(PAGE)).contains("<code>" + Curl.of(operation, ORIGIN) + "</code>");
    }

    @Test
    void nothing_in_it_runs_and_nothing_is_styled_in_place() {
        assertThat(PAGE).doesNotContain("<script", "<style", "style=", "javascript:", "<img", "<iframe");
        assertThat(PAGE).doesNotContainPattern("\\son[a-z]+=");
        assertThat(PAGE).doesNotContainPattern("(src|href)=\"(https?:)?//");
    }

    @Test
    void what_is_not_its_own_is_shown_as_text() {
        String page = DocsPage.of(ApiDefinition.get(), "http://a'\"></code><script>alert(1)</script>&");

        assertThat(page).doesNotContain("<script");
        assertThat(page).contains("&lt;script&gt;alert(1)&lt;/script&gt;&amp;");
    }

    @Test
    void every_element_that_begins_ends() {
        Deque<String> open = new ArrayDeque<>();
        Matcher tags = TAG.matcher(PAGE);
        while (tags.find()) {
            String name = tags.group(2);
            if (tags.group(1).isEmpty() && !WITHOUT_END.contains(name)) {
                open.push(name);
            } else if (!tags.group(1).isEmpty()) {
                assertThat(open.pop()).isEqualTo(name);
            }
        }

        assertThat(open).isEmpty();
    }

    @Test
    void its_style_sheet_is_in_the_program() {
        assertThat(PAGE).contains("href=\"" + DocsPage.STYLE_PATH + "\"");
        assertThat(DocsPage.style()).contains("color-scheme").doesNotContain("url(", "@import");
    }

    private static String unescaped(String html) {
        return html.replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&quot;", "\"")
                .replace("&#39;", "'")
                .replace("&amp;", "&");
    }
}
