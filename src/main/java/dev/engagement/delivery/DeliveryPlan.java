package dev.engagement.delivery;

import java.io.Serializable;
import java.time.Duration;

/**
 * What both paths are made of.
 *
 * @param rules how the courier works
 * @param sender makes what posts, where it runs
 * @param includeSnapshot whether rows that a snapshot read are delivered
 * @param receipts whether it is told what the receiver has taken
 * @param drainRate events per second of the whole drain
 * @param retryRetention how long the retry topic keeps what is done with
 * @param eventsTopic named in dead letters
 * @param receiver where it posts to, for messages: without path and query, which may be somebody's secret
 */
record DeliveryPlan(
        CourierRules rules,
        HttpSender.Factory sender,
        boolean includeSnapshot,
        boolean receipts,
        double drainRate,
        Duration retryRetention,
        String eventsTopic,
        String receiver)
        implements Serializable {

    private static final long serialVersionUID = 1L;
}
