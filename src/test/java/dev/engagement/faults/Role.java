package dev.engagement.faults;

/** A process of the installation, which a fault strikes and a supervisor starts again. */
enum Role {
    TASK_MANAGER_1("TaskManager 1"),
    TASK_MANAGER_2("TaskManager 2"),
    JOB_MANAGER("JobManager"),
    POSTGRES("PostgreSQL"),
    KAFKA("Kafka"),
    REDIS("Redis"),
    BIGQUERY("BigQuery"),
    RECEIVER("receiver");

    private final String title;

    Role(String title) {
        this.title = title;
    }

    /** What it is called in a table. */
    String title() {
        return title;
    }
}
