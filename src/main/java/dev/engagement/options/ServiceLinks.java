package dev.engagement.options;

import java.util.regex.Pattern;

/**
 * The variables that Kubernetes puts into every pod beside a service: one whose name begins like our options looks like
 * one.
 */
public final class ServiceLinks {

    private static final Pattern NAME =
            Pattern.compile(".*_SERVICE_(HOST|PORT(_.*)?)" + "|.*_PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?");

    private static final Pattern URL = Pattern.compile("(tcp|udp|sctp)://.*");

    private ServiceLinks() {}

    /** Whether a variable is one of those. */
    public static boolean isOne(String variable, String text) {
        return NAME.matcher(variable).matches()
                || (variable.endsWith("_PORT") && URL.matcher(text).matches());
    }
}
