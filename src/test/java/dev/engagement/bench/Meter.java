package dev.engagement.bench;

import com.sun.management.GarbageCollectionNotificationInfo;
import com.sun.management.OperatingSystemMXBean;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryUsage;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import javax.management.NotificationEmitter;
import javax.management.openmbean.CompositeData;

/** Wall time, CPU time and allocated bytes of this process between two moments. */
final class Meter {

    private static final OperatingSystemMXBean PROCESS =
            ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);

    private final AtomicLong allocatedUpToLastCollection = new AtomicLong();
    private final AtomicLong usedAfterLastCollection = new AtomicLong();
    private long startNanos;
    private long startCpuNanos;
    private long startAllocated;

    /**
     * What was measured.
     *
     * @param seconds wall time
     * @param cpuSeconds of all threads of this process
     * @param bytes allocated by all threads
     */
    record Reading(double seconds, double cpuSeconds, long bytes) {}

    Meter() {
        for (GarbageCollectorMXBean collector : ManagementFactory.getGarbageCollectorMXBeans()) {
            ((NotificationEmitter) collector)
                    .addNotificationListener(
                            (notification, handback) -> {
                                if (notification
                                        .getType()
                                        .equals(GarbageCollectionNotificationInfo.GARBAGE_COLLECTION_NOTIFICATION)) {
                                    collected(GarbageCollectionNotificationInfo.from(
                                            (CompositeData) notification.getUserData()));
                                }
                            },
                            null,
                            null);
        }
    }

    private void collected(GarbageCollectionNotificationInfo info) {
        long before = heap(info.getGcInfo().getMemoryUsageBeforeGc());
        long after = heap(info.getGcInfo().getMemoryUsageAfterGc());
        allocatedUpToLastCollection.addAndGet(Math.max(0, before - usedAfterLastCollection.get()));
        usedAfterLastCollection.set(after);
    }

    private static long heap(Map<String, MemoryUsage> pools) {
        return pools.entrySet().stream()
                .filter(pool -> pool.getKey().matches(".*(Eden|Survivor|Old|Tenured).*"))
                .mapToLong(pool -> pool.getValue().getUsed())
                .sum();
    }

    void start() {
        System.gc();
        startAllocated = allocatedUpToLastCollection.get();
        startCpuNanos = PROCESS.getProcessCpuTime();
        startNanos = System.nanoTime();
    }

    Reading stop() {
        double seconds = (System.nanoTime() - startNanos) / 1e9;
        double cpuSeconds = (PROCESS.getProcessCpuTime() - startCpuNanos) / 1e9;
        System.gc();
        return new Reading(seconds, cpuSeconds, allocatedUpToLastCollection.get() - startAllocated);
    }
}
