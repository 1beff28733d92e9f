package dev.engagement.faults;

/**
 * Something that goes wrong, and what the operator or supervisor then does.
 *
 * @param name for the table
 * @param isKill whether it is a SIGKILL, of which a random script has a given number
 * @param needsCalm whether it fails if something else is still wrong, as a savepoint does
 */
record Fault(String name, boolean isKill, boolean needsCalm, Strike strike) {

    /** The fault itself. */
    @FunctionalInterface
    interface Strike {

        /**
         * Strikes, and returns once everything that was broken is whole or about to be.
         *
         * @return from when on recovery counts, of {@code System.nanoTime}: the kill, or the fault's end
         */
        long hit(Installation installation) throws Exception;
    }
}
