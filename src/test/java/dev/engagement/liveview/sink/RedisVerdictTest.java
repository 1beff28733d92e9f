package dev.engagement.liveview.sink;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.SocketTimeoutException;
import java.security.cert.CertificateException;
import javax.net.ssl.SSLHandshakeException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import redis.clients.jedis.exceptions.JedisAccessControlException;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;

class RedisVerdictTest {

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            LOADING Redis is loading the dataset in memory                                     | TRANSIENT
            BUSY Redis is busy running a script. You can only call SCRIPT KILL                 | TRANSIENT
            TRYAGAIN Multiple keys request during rehashing of slot                            | TRANSIENT
            CLUSTERDOWN The cluster is down                                                    | TRANSIENT
            MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.   | TRANSIENT
            NOREPLICAS Not enough good replicas to write.                                      | TRANSIENT
            MISCONF Redis is configured to save RDB snapshots, but it's unable to persist      | TRANSIENT
            READONLY You can't write against a read only replica.                              | TRANSIENT
            MOVED 3999 127.0.0.1:6381                                                          | TRANSIENT
            ERR max number of clients reached                                                  | TRANSIENT
            OOM command not allowed when used memory > 'maxmemory'.                            | OUT_OF_MEMORY
            ERR Error running script (call to f_1): @user_script:9: -OOM command not allowed   | OUT_OF_MEMORY
            ERR Error running script (call to f_1): @user_script:9: @user_script: 9: -READONLY You can't write | TRANSIENT
            NOSCRIPT No matching script. Please use EVAL.                                      | SCRIPT_LOST
            ASK 3999 127.0.0.1:6381                                                            | TRANSIENT
            NODEDOWN 127.0.0.1:6381 does not answer: Connection refused                        | TRANSIENT
            WRONGPASS invalid username-password pair or user is disabled.                      | REFUSED
            NOAUTH Authentication required.                                                    | REFUSED
            NOPERM this user has no permissions to run the 'evalsha' command                   | REFUSED
            ERR invalid password                                                               | REFUSED
            ERR AUTH <password> called without any password configured for the default user.   | REFUSED
            ERR ACL failure in script: User u has no permissions to run the 'set' command      | REFUSED
            ERR The user executing the script can't run this command or subcommand script: ef1 | REFUSED
            CROSSSLOT Keys in request don't hash to the same slot                              | UNUSABLE
            WRONGTYPE Operation against a key holding the wrong kind of value                  | UNUSABLE
            ERR Error running script (call to f_1): @user_script:9: attempt to compare nil     | UNUSABLE
            ERR DB index is out of range                                                       | UNUSABLE
            """)
    void each_error_has_its_verdict(String error, RedisVerdict verdict) {
        assertThat(RedisVerdict.ofError(error)).isEqualTo(verdict);
        assertThat(new Reply.Failed(error).verdict()).isEqualTo(verdict);
        // Thrown and not answered to one write: it is about all of them.
        assertThat(RedisVerdict.of(new JedisDataException(error)))
                .isEqualTo(verdict == RedisVerdict.UNUSABLE ? RedisVerdict.REFUSED : verdict);
    }

    @Test
    void whatever_keeps_redis_from_answering_passes() {
        assertThat(RedisVerdict.of(new JedisConnectionException("Connection refused")))
                .isEqualTo(RedisVerdict.TRANSIENT);
        assertThat(RedisVerdict.of(new JedisConnectionException(new SocketTimeoutException())))
                .isEqualTo(RedisVerdict.TRANSIENT);
        assertThat(RedisVerdict.of(new JedisConnectionException(new SSLHandshakeException("expired"))))
                .isEqualTo(RedisVerdict.TRANSIENT);
    }

    @Test
    void what_a_person_has_to_heal_is_refused() {
        assertThat(RedisVerdict.of(new IllegalStateException("no such secret"))).isEqualTo(RedisVerdict.REFUSED);
        assertThat(RedisVerdict.of(new JedisAccessControlException("NOAUTH Authentication required.")))
                .isEqualTo(RedisVerdict.REFUSED);
        assertThat(RedisVerdict.of(new JedisConnectionException(
                        new SSLHandshakeException("PKIX").initCause(new CertificateException("No name matching")))))
                .isEqualTo(RedisVerdict.REFUSED);
    }
}
