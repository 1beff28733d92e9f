package dev.engagement.delivery;

import java.io.Serializable;
import java.util.function.Consumer;

/** Sends requests to the receiver. Never blocks and never throws; what goes wrong is an {@link Answer}. */
interface HttpSender extends AutoCloseable {

    /**
     * Sends a request once. It is the caller who limits how long that may take.
     *
     * @param answered called at most once, on any thread, possibly before this method returns; not called any more once
     *     {@link Attempt#cancel} has returned, except by a call that had already begun
     * @return the request on its way
     */
    Attempt post(Request request, Consumer<Answer> answered);

    /** Breaks off what is on its way, whatever becomes of its answers, and releases connections and threads. */
    @Override
    void close();

    /** One request on its way. */
    @FunctionalInterface
    interface Attempt {

        /**
         * Breaks the request off and gives its connection up; the receiver may have got it nevertheless. If its status had
         * come already and only the body was missing, that is the answer, told before this returns.
         */
        void cancel();
    }

    /** Makes the sender where it is used. */
    @FunctionalInterface
    interface Factory extends Serializable {

        /** @throws Exception if a secret or the trust store cannot be read, with a message that says which */
        HttpSender open() throws Exception;
    }
}
