/* limit.c - the least that a fan-out server can do: the physical limit, and the backend of tests.
 *
 * Answers every request, whatever its path, with a fixed SSE or WebSocket handshake, then writes
 * each event to every socket with one send(). Events come as lines on a TCP feed port. With
 * --coalesce all lines that arrived together leave in a single send(). No replay, no parsing of
 * requests; a socket that would block is dropped, or with --patient waited for.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_FD = 65536, KEY = 24, ACCEPT = 28 };
static int ws, coalesce, patient, ep, listener, feed_listener, feed = -1;
static int count, subscribers[MAX_FD], place[MAX_FD]; /* place: index in subscribers + 1, or 0 */
static char out[1 << 20], line[1 << 17];
static size_t out_length, line_length;

static const char SSE_HELLO[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                                "Cache-Control: no-store\r\nConnection: close\r\n\r\n";
static char ws_hello[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                         "Sec-WebSocket-Accept: ............................\r\n\r\n";

/* ---- Sec-WebSocket-Accept (RFC 6455, 4.2.2): base64(sha1(key + GUID)) ---------------------- */

static uint32_t rol(uint32_t x, int n) { return x << n | x >> (32 - n); }
static void sha1_block(uint32_t h[5], const uint8_t *p) { /* RFC 3174, 6.1 */
    uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], w[80];
    for (int i = 0; i < 80; i++) {
        w[i] = i < 16 ? (uint32_t)p[4 * i] << 24 | p[4 * i + 1] << 16 | p[4 * i + 2] << 8 | p[4 * i + 3]
                      : rol(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
        uint32_t f = i < 20   ? ((b & c) | (~b & d)) + 0x5a827999
                     : i < 40 ? (b ^ c ^ d) + 0x6ed9eba1
                     : i < 60 ? ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc
                              : (b ^ c ^ d) + 0xca62c1d6;
        f += rol(a, 5) + e + w[i];
        e = d, d = c, c = rol(b, 30), b = a, a = f;
    }
    h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
}
static void accept_key(const char *key, char *accepted) {
    static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t text[128] = {0}, digest[21] = {0}; /* key and GUID are 60 bytes: two blocks */
    uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    memcpy(text, key, KEY);
    memcpy(text + KEY, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", 36);
    text[60] = 0x80, text[126] = 480 >> 8, text[127] = 480 & 255;
    sha1_block(h, text);
    sha1_block(h, text + 64);
    for (int i = 0; i < 20; i++) digest[i] = h[i / 4] >> (24 - 8 * (i % 4));
    for (int i = 0; i < ACCEPT; i++) {
        const uint8_t *d = digest + i / 4 * 3;
        accepted[i] = DIGITS[(d[0] << 16 | d[1] << 8 | d[2]) >> (18 - 6 * (i % 4)) & 63];
    }
    accepted[ACCEPT - 1] = '=';
}

/* ---- events ------------------------------------------------------------------------------- */

static void drop(int fd) {
    if (place[fd]) {
        int hole = place[fd] - 1, last = subscribers[--count];
        subscribers[hole] = last, place[last] = hole + 1, place[fd] = 0;
    }
    close(fd);
}
static int send_all(int fd) {
    for (size_t sent = 0; sent < out_length;) {
        ssize_t n = send(fd, out + sent, out_length - sent, MSG_NOSIGNAL | (patient ? 0 : MSG_DONTWAIT));
        if (n < 0) return 0;
        sent += n;
        if (!patient) return sent == out_length;
    }
    return 1;
}
static void flush(void) {
    for (int i = count - 1; i >= 0; i--)
        if (!send_all(subscribers[i])) drop(subscribers[i]);
    out_length = 0;
}
static void event(const char *text, size_t length) {
    if (out_length + length + 16 > sizeof out) flush();
    char *o = out + out_length;
    if (ws) {
        *o++ = (char)0x81;
        if (length < 126) *o++ = length;
        else *o++ = 126, *o++ = length >> 8, *o++ = length;
    } else o = mempcpy(o, "data: ", 6);
    o = mempcpy(o, text, length);
    if (!ws) o = mempcpy(o, "\n\n", 2);
    out_length = o - out;
    if (!coalesce) flush();
}
static void take_lines(void) {
    ssize_t n = recv(feed, line + line_length, sizeof line - line_length, MSG_DONTWAIT);
    if (n <= 0) {
        if (n == 0 || errno != EAGAIN) close(feed), feed = -1;
        return;
    }
    line_length += n;
    char *p = line;
    for (char *end; (end = memchr(p, '\n', line + line_length - p)); p = end + 1) event(p, end - p);
    if (out_length) flush();
    line_length -= p - line;
    memmove(line, p, line_length);
}

/* ---- clients ------------------------------------------------------------------------------ */

static void greet(int fd, char *head, size_t length) {
    const char *hello = ws ? ws_hello : SSE_HELLO;
    head[length] = 0;
    char *key = ws ? strcasestr(head, "Sec-WebSocket-Key: ") : NULL;
    if (ws && (!key || strlen(key) < 19 + KEY)) { drop(fd); return; }
    if (ws) accept_key(key + 19, strstr(ws_hello, "Accept: ") + 8);
    if (send(fd, hello, strlen(hello), MSG_NOSIGNAL) < 0) { drop(fd); return; }
    subscribers[count++] = fd, place[fd] = count;
}
/* Answers a masked ping (RFC 6455, 5.5.2) that comes alone in a read, as those of clients do. */
static void answer(int fd, const uint8_t *frame, size_t length) {
    uint8_t pong[2 + 125] = {0x8a};
    if (length < 6 || frame[0] != 0x89 || (frame[1] & 127) > 125) return;
    size_t size = frame[1] & 127;
    if (length < 6 + size) return;
    pong[1] = size;
    for (size_t i = 0; i < size; i++) pong[2 + i] = frame[6 + i] ^ frame[2 + i % 4];
    if (send(fd, pong, 2 + size, MSG_NOSIGNAL) < 0) drop(fd);
}
static void readable(int fd) {
    char text[4096];
    ssize_t n = recv(fd, text, sizeof text - 1, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN)) drop(fd);
    else if (n > 0 && !place[fd]) greet(fd, text, n);
    else if (n > 0 && ws) answer(fd, (uint8_t *)text, n);
}
static void watch(int fd) {
    struct epoll_event ev = {EPOLLIN, {.fd = fd}};
    epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
}
static void accept_all(int from) {
    int one = 1;
    for (int fd; (fd = accept4(from, 0, 0, patient ? 0 : SOCK_NONBLOCK)) >= 0;) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (fd >= MAX_FD) { close(fd); continue; }
        if (from == feed_listener) feed = fd, line_length = 0;
        watch(fd);
    }
}
static int listen_on(int port) {
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (void *)&a, sizeof a) || listen(fd, 4096)) { perror("listen"); exit(1); }
    watch(fd);
    return fd;
}
int main(int argc, char **argv) {
    static struct option names[] = {{"mode", 1, 0, 'm'}, {"port", 1, 0, 'p'}, {"feed", 1, 0, 'f'},
                                    {"coalesce", 0, 0, 'c'}, {"patient", 0, 0, 'w'}, {0}};
    int port = 0, feed_port = 0;
    for (int o; (o = getopt_long(argc, argv, "", names, 0)) != -1;) switch (o) {
        case 'm': ws = !strcmp(optarg, "ws"); break;
        case 'p': port = atoi(optarg); break;
        case 'f': feed_port = atoi(optarg); break;
        case 'c': coalesce = 1; break;
        case 'w': patient = 1; break;
        default: return 2;
    }
    ep = epoll_create1(0);
    listener = listen_on(port);
    feed_listener = listen_on(feed_port);
    for (struct epoll_event evs[512];;) {
        int n = epoll_wait(ep, evs, 512, -1);
        for (int i = 0; i < n; i++) {
            int fd = evs[i].data.fd;
            if (fd == listener || fd == feed_listener) accept_all(fd);
            else if (fd == feed) take_lines();
            else readable(fd);
        }
    }
}
