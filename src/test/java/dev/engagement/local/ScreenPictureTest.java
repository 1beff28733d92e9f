package dev.engagement.local;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

class ScreenPictureTest {

    @Test
    void every_text_stands_in_its_column_and_colour() throws Exception {
        List<Element> texts = texts(
                ScreenPicture.of(List.of("\033[1mTitle\033[0m  plain", "", "  \033[31m! <script>&amp;\033[0m"), 40));

        assertThat(texts).extracting(Element::getTextContent).containsExactly("Title", "  plain", "! <script>&amp;");
        assertThat(texts).extracting(text -> text.getAttribute("x")).containsExactly("18.0", "60.0", "34.8");
        assertThat(texts).extracting(text -> text.getAttribute("y")).containsExactly("32", "32", "70");
        assertThat(texts).extracting(text -> text.getAttribute("textLength")).containsExactly("42.0", "58.8", "126.0");
        assertThat(texts)
                .extracting(text -> text.getAttribute("fill"))
                .containsExactly("#ffffff", "#d8dee9", "#ff7b72");
    }

    private static List<Element> texts(String svg) throws Exception {
        Document document =
                DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new InputSource(new StringReader(svg)));
        NodeList found = document.getElementsByTagName("text");
        List<Element> texts = new ArrayList<>();
        for (int i = 0; i < found.getLength(); i++) {
            texts.add((Element) found.item(i));
        }
        return texts;
    }
}
