package dev.engagement.delivery;

/**
 * What is posted. The sender adds the timestamp, the signature, the token and the headers, anew for each attempt.
 *
 * @param webhookId the receiver's key: {@code evt_…} for one event, {@code bat_…} for several; visible ASCII
 * @param body JSON in UTF-8, not to be written to
 */
@SuppressWarnings("ArrayRecordComponent") // never compared; a request is an event's bytes and is not copied
record Request(String webhookId, byte[] body) {

    /** Without the body, which is somebody's data. */
    @Override
    public String toString() {
        return "Request[" + webhookId + ", " + body.length + " bytes]";
    }
}
