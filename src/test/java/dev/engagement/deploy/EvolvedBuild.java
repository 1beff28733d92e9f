package dev.engagement.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.EngagementJob;
import dev.engagement.JobCluster;
import java.io.IOException;
import java.io.StringWriter;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.apache.flink.runtime.jobgraph.JobGraph;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.util.ChildFirstClassLoader;
import org.apache.flink.util.FlinkUserCodeClassLoader;

/**
 * A later build of this jar: an event has a field more, and a content a column more, as a developer would add them, with the
 * next version of their format. Made of this build's sources, compiled, and run beside this build by a loader of its own.
 */
final class EvolvedBuild {

    private static final Path SOURCES = Path.of("src/main/java");
    private static final Path EVENT = Path.of("dev/engagement/event/EngagementEvent.java");
    private static final Path CONTENT = Path.of("dev/engagement/event/Content.java");
    private static final Path TYPES = Path.of("dev/engagement/event/types/EventTypes.java");

    private final List<URL> classPath;
    private final ClassLoader loader;

    private EvolvedBuild(List<URL> classPath) {
        this.classPath = classPath;
        this.loader = new ChildFirstClassLoader(
                classPath.toArray(URL[]::new),
                EvolvedBuild.class.getClassLoader(),
                new String[] {"java.", "javax.", "org.apache.flink."},
                FlinkUserCodeClassLoader.NOOP_EXCEPTION_HANDLER);
    }

    /** @param directory where its sources and classes go */
    static EvolvedBuild make(Path directory) throws Exception {
        Path sources = directory.resolve("sources");
        Path classes = Files.createDirectories(directory.resolve("classes"));
        write(sources, EVENT, withField(EVENT, "EngagementEvent", "country"));
        write(sources, CONTENT, withField(CONTENT, "Content", "language"));
        String types = Files.readString(SOURCES.resolve(TYPES));
        types = ofNumbersInVersion3(types, "class EventSerializer", "class ContentSerializer");
        types = inVersion2(
                types,
                "class ContentSerializer",
                "class ContentChangeSerializer",
                "if (publishTs != null) {\n                out.writeLong(publishTs);\n            }",
                "in.readBoolean() ? (Long) in.readLong() : null",
                "content.language()");
        write(sources, TYPES, types);
        compile(sources, classes);
        return new EvolvedBuild(List.of(
                classes.toUri().toURL(),
                EngagementJob.class.getProtectionDomain().getCodeSource().getLocation()));
    }

    /** A record with a component more, and a constructor without it for all who do not know it. */
    private static String withField(Path source, String record, String field) throws IOException {
        String text = Files.readString(SOURCES.resolve(source));
        String header = between(text, "public record " + record + "(", ")");
        String names = header.replaceAll("@Nullable ", "").replaceAll("\\b\\w+ (\\w+)", "$1");
        String begin = "public record " + record + "(" + header;
        return once(
                text,
                begin + ") {",
                begin + ", @Nullable String " + field + ") {\n public " + record + "(" + header + ") {\n this(" + names
                        + ", \"new\");\n }\n");
    }

    /** Events have a version for each kind of id; the next one is of those that are numbers. */
    private static String ofNumbersInVersion3(String text, String from, String to) {
        String part = between(text, from, to);
        String evolved = once(part, "return TEXT_ID;", "return 3;");
        evolved = once(evolved, "event.textId() == null ? NUMBER_ID : TEXT_ID", "event.textId() == null ? 3 : TEXT_ID");
        evolved = once(evolved, "version == NUMBER_ID ?", "version != TEXT_ID ?");
        String write = "writePosition(event.position(), out);";
        evolved = once(evolved, write, write + "\n Wire.writeText(event.country(), out);");
        evolved = once(evolved, "readPosition(in));", "readPosition(in),\n version < 3 ? null : Wire.readText(in));");
        return once(text, part, evolved);
    }

    private static String inVersion2(String text, String from, String to, String write, String read, String value) {
        String part = between(text, from, to);
        String evolved = once(part, "return 1;", "return 2;");
        evolved = once(evolved, write, write + "\n Wire.writeText(" + value + ", out);");
        evolved = once(evolved, read + ");", read + ",\n version < 2 ? null : Wire.readText(in));");
        return once(text, part, evolved);
    }

    private static String between(String text, String from, String to) {
        int begin = text.indexOf(from) + from.length();
        return text.substring(begin, text.indexOf(to, begin));
    }

    private static String once(String text, String from, String to) {
        assertThat(text.split(Pattern.quote(from), -1))
                .as("'%s' stands once in the sources that are evolved", from)
                .hasSize(2);
        return text.replace(from, to);
    }

    private static void write(Path sources, Path file, String text) throws IOException {
        Path to = sources.resolve(file);
        Files.createDirectories(to.getParent());
        Files.writeString(to, text);
    }

    private static void compile(Path sources, Path classes) throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter said = new StringWriter();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
            boolean compiled = compiler.getTask(
                            said,
                            files,
                            null,
                            List.of("-proc:none", "-d", classes.toString()),
                            null,
                            files.getJavaFileObjects(
                                    sources.resolve(EVENT), sources.resolve(CONTENT), sources.resolve(TYPES)))
                    .call();
            assertThat(compiled).as(said.toString()).isTrue();
        }
    }

    /** The job that it builds of those arguments. */
    JobGraph job(JobCluster cluster, String... arguments) {
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        thread.setContextClassLoader(loader);
        try {
            JobGraph job = cluster.environment(this::prepare, arguments)
                    .getStreamGraph(false)
                    .getJobGraph(loader, null);
            job.setClasspaths(classPath);
            return job;
        } finally {
            thread.setContextClassLoader(before);
        }
    }

    private void prepare(String[] arguments, StreamExecutionEnvironment env) {
        try {
            var unused = loader.loadClass(EngagementJob.class.getName())
                    .getMethod("prepare", String[].class, StreamExecutionEnvironment.class)
                    .invoke(null, arguments, env);
        } catch (InvocationTargetException e) {
            throw new IllegalStateException(e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }
}
