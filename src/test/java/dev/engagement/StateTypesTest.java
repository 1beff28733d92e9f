package dev.engagement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.flink.api.common.ExecutionConfig;
import org.apache.flink.api.common.state.StateDescriptor;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.util.OutputTag;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Every stream and state type, a named constant by habit, has a serializer of its own: none falls back to Kryo. */
class StateTypesTest {

    @TestFactory
    Stream<DynamicTest> every_type_is_written_without_kryo() throws Exception {
        return constants().entrySet().stream()
                .map(type ->
                        DynamicTest.dynamicTest(type.getKey(), () -> assertThatCode(() -> initialise(type.getValue()))
                                .doesNotThrowAnyException()));
    }

    @Test
    void there_are_such_constants() throws Exception {
        List<Object> all = new ArrayList<>(constants().values());

        assertThat(all).hasAtLeastOneElementOfType(TypeInformation.class);
        assertThat(all).hasAtLeastOneElementOfType(StateDescriptor.class);
        assertThat(all).hasAtLeastOneElementOfType(OutputTag.class);
    }

    @Test
    void a_type_that_needs_kryo_would_be_seen() {
        assertThatThrownBy(() -> initialise(TypeInformation.of(Object.class)))
                .hasMessageContaining("Generic types have been disabled");
    }

    private static void initialise(Object constant) {
        ExecutionConfig config = new ExecutionConfig(new Configuration().set(PipelineOptions.GENERIC_TYPES, false));
        if (constant instanceof StateDescriptor<?, ?> state) {
            state.initializeSerializerUnlessSet(config);
        } else if (constant instanceof OutputTag<?> tag) {
            initialise(tag.getTypeInfo());
        } else {
            ((TypeInformation<?>) constant).createSerializer(config.getSerializerConfig());
        }
    }

    /** By class and name. */
    private static Map<String, Object> constants()
            throws IOException, URISyntaxException, ReflectiveOperationException {
        Path classes = Path.of(EngagementJob.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
        List<String> names;
        try (Stream<Path> files = Files.walk(classes.resolve("dev/engagement"))) {
            names = files.map(file -> classes.relativize(file).toString())
                    .filter(file -> file.endsWith(".class") && !file.contains("package-info"))
                    .filter(file -> !file.startsWith("dev/engagement/local/"))
                    .map(file ->
                            file.substring(0, file.length() - ".class".length()).replace('/', '.'))
                    .toList();
        }
        Map<String, Object> constants = new TreeMap<>();
        for (String name : names) {
            for (Field field : Class.forName(name).getDeclaredFields()) {
                if (Modifier.isStatic(field.getModifiers())
                        && Stream.of(TypeInformation.class, StateDescriptor.class, OutputTag.class)
                                .anyMatch(kind -> kind.isAssignableFrom(field.getType()))) {
                    field.setAccessible(true);
                    constants.put(name.substring("dev.engagement.".length()) + "." + field.getName(), field.get(null));
                }
            }
        }
        return constants;
    }
}
