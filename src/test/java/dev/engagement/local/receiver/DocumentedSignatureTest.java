package dev.engagement.local.receiver;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.report.testing.Programs;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The documentation's ways to verify a signature, which run as they stand there. */
class DocumentedSignatureTest {

    private static final String SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    private static final String ID = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    private static final long TIMESTAMP = 1_614_265_330;
    private static final String BODY = "{\"test\": 2432232314}";
    private static final String SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    /** A language, and what calls the page's function with the arguments of a command line. */
    private enum Language {
        PYTHON("python", "python3", "python3", """

                import sys
                secret, id, timestamp, signature, body, now = sys.argv[1:]
                headers = {"webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signature}
                try:
                    print("good", verify(secret, headers, body.encode(), int(now)))
                except ValueError as e:
                    print("bad", e)
                """),
        JAVASCRIPT("js", "node", "nodejs", """

                const [secret, id, timestamp, signature, body, now] = process.argv.slice(2);
                const headers = { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signature };
                try {
                  console.log("good", verify(secret, headers, Buffer.from(body), Number(now)));
                } catch (e) {
                  console.log("bad", e.message);
                }
                """);

        private final String name;
        private final String interpreter;
        private final String debianPackage;
        private final String call;

        Language(String name, String interpreter, String debianPackage, String call) {
            this.name = name;
            this.interpreter = interpreter;
            this.debianPackage = debianPackage;
            this.call = call;
        }
    }

    @TempDir
    private Path directory;

    @ParameterizedTest
    @EnumSource
    void the_published_example_is_good_and_every_change_of_it_is_not(Language language) throws Exception {
        Path program = program(language);
        Programs.need(
                language.interpreter,
                language.debianPackage,
                "the page's way to verify a signature works in " + language.name);
        String good = "good " + ID + "\n";
        assertThat(verify(language, program, SIGNATURE, BODY, TIMESTAMP)).isEqualTo(good);
        assertThat(verify(language, program, "v1,AAAA v2,ä " + SIGNATURE, BODY, TIMESTAMP + 300))
                .as("several signatures, while a secret is changed")
                .isEqualTo(good);
        assertThat(verify(language, program, SIGNATURE, BODY + " ", TIMESTAMP)).startsWith("bad ");
        assertThat(verify(language, program, SIGNATURE.replace("v1", "v2"), BODY, TIMESTAMP))
                .startsWith("bad ");
        assertThat(verify(language, program, SIGNATURE, BODY, TIMESTAMP + 301)).startsWith("bad ");
        assertThat(verify(language, program, SIGNATURE, BODY, TIMESTAMP - 301)).startsWith("bad ");
    }

    private Path program(Language language) throws IOException {
        Matcher block = Pattern.compile("```" + language.name + "\n(.+?)```", Pattern.DOTALL)
                .matcher(Files.readString(Path.of("src/site/markdown/receiver.md")));
        assertThat(block.find()).as("the page has a block in " + language.name).isTrue();
        return Files.writeString(directory.resolve("verify"), block.group(1) + language.call);
    }

    private static String verify(Language language, Path program, String signature, String body, long now)
            throws Exception {
        ProcessBuilder builder = new ProcessBuilder(
                language.interpreter,
                program.toString(),
                SECRET,
                ID,
                Long.toString(TIMESTAMP),
                signature,
                body,
                Long.toString(now));
        builder.environment().put("PYTHONUTF8", "1");
        Process process = builder.redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        return output;
    }
}
