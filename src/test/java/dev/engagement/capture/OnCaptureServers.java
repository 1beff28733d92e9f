package dev.engagement.capture;

import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInfo;

/** A class of tests on servers of its own, each on a stage of its own. */
abstract class OnCaptureServers {

    /** Of this class alone, and emptied before its tests. */
    static Path directory;

    static CaptureServers servers;

    CaptureStage stage;

    @BeforeAll
    static void startServers(TestInfo tests) throws Exception {
        directory = Path.of(
                "target/it", "capture-" + tests.getTestClass().orElseThrow().getSimpleName());
        servers = CaptureServers.start(directory);
    }

    @AfterAll
    static void stopServers() throws Exception {
        servers.close();
    }

    @BeforeEach
    void openStage(TestInfo test) throws Exception {
        stage = servers.stage(test);
    }

    @AfterEach
    void closeStage() throws Exception {
        stage.close();
    }
}
