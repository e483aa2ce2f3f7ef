/* load.c - opens N subscribers of an SSE or WebSocket server, publishes, and takes the time.
 *
 * One process, one thread, one epoll. An event is any payload that holds "t":<monotonic ns>
 * exactly once, so that the time from publishing to receipt needs one clock only.
 *
 * What the driver says and hears, one line each:
 *   start     -> {"ready":N,"failed":0,"setup_s":S}
 *   stdin     <- RATE WINDOW BURST SECONDS WARM     a segment; end of file closes everything
 *   stdout    -> {"published":...}                  its result
 * RATE > 0 is an open loop of so many events a second; RATE 0 is a closed one, in which WINDOW
 * publications of BURST events are under way. Events of the first WARM seconds are not timed.
 * Connections stay open between segments, and protocol pings are answered at any time.
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
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { KEEP = 512, READ = 1 << 18, PER_SOURCE = 25000, OPENING = 128, SECOND = 1000000000 };
enum { QUIET_NS = 2 * SECOND };
enum state { CONNECTING, HEAD, OPEN, DEAD, CONTROL };
struct conn {
    int fd, index;
    uint16_t kept; /* bytes of an unfinished head, frame or marker, in keep */
    uint8_t state;
    char keep[KEEP];
};
struct segment { double rate, seconds, warm; int window, burst; };

static int ws, port, wanted = 1, publish_port, size = 200;
static FILE *tokens;
static const char *path = "/", *publish_how = "none", *publish_path = "/pub";
static char headers[2048];
static struct conn *conns;
static int ep, opened, opening, ready, failed, publisher = -1, unexpected, commanded;
static uint64_t received, published, since, timed_since;

/* A histogram of nanoseconds: 64 linear steps in each power of two. */
static uint64_t steps[64 * 64], timed, slowest;

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * SECOND + t.tv_nsec;
}
static void record(uint64_t ns) {
    int power = ns < 64 ? 0 : 63 - __builtin_clzll(ns) - 5;
    steps[power * 64 + (ns >> power)]++;
    timed++;
    if (ns > slowest) slowest = ns;
}
static double quantile_us(double q) {
    uint64_t rank = timed * q, seen = 0;
    for (int i = 0; i < 64 * 64; i++)
        if ((seen += steps[i]) > rank) return (double)((uint64_t)(i % 64) << (i / 64)) / 1000.0;
    return slowest / 1000.0;
}
static void die(const char *what) { perror(what); exit(1); }

/* ---- subscribers -------------------------------------------------------------------------- */

static void drop(struct conn *c) {
    if (c->state == CONNECTING || c->state == HEAD) opening--;
    if (c->state == OPEN) ready--;
    c->state = DEAD;
    failed++;
    close(c->fd);
}
static void watch(struct conn *c, int op, uint32_t events) {
    epoll_ctl(ep, op, c->fd, &(struct epoll_event){events, {.ptr = c}});
}
static void connect_one(struct conn *c) {
    struct sockaddr_in a = {.sin_family = AF_INET};
    struct linger reset = {1, 0}; /* leaves no TIME_WAIT behind */
    int one = 1;
    c->index = opened;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (c->fd < 0) die("socket");
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    if (opened / PER_SOURCE) { /* one address has some 28,000 ports only */
        setsockopt(c->fd, IPPROTO_IP, 24 /* IP_BIND_ADDRESS_NO_PORT */, &one, sizeof one);
        a.sin_addr.s_addr = htonl(INADDR_LOOPBACK + opened / PER_SOURCE);
        if (bind(c->fd, (void *)&a, sizeof a)) die("bind");
    }
    a.sin_port = htons(port);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(c->fd, (void *)&a, sizeof a) && errno != EINPROGRESS) die("connect");
    watch(c, EPOLL_CTL_ADD, EPOLLOUT);
    opened++, opening++;
}
/* The credential of one client: the next line of the file, again from its start at the end. */
static const char *credential(void) {
    static char line[2048];
    if (!tokens) return "";
    char token[1900];
    if (!fgets(token, sizeof token, tokens)) {
        rewind(tokens);
        if (!fgets(token, sizeof token, tokens)) { fprintf(stderr, "no token\n"); exit(1); }
    }
    token[strcspn(token, "\n")] = 0;
    snprintf(line, sizeof line, "Authorization: Bearer %s\r\n", token);
    return line;
}
static void request(struct conn *c) {
    char text[4096], numbered[512];
    const char *field = strstr(path, "{i}");
    if (field) snprintf(numbered, sizeof numbered, "%.*s%d%s", (int)(field - path), path, c->index, field + 3);
    int length = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s%s%s\r\n",
        field ? numbered : path, port,
        ws ? "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
           : "Accept: text/event-stream\r\n", headers, credential());
    if (send(c->fd, text, length, MSG_NOSIGNAL) != length) { drop(c); return; }
    c->state = HEAD;
    watch(c, EPOLL_CTL_MOD, EPOLLIN);
}
static void keep(struct conn *c, const char *from, const char *end) {
    if (end - from > KEEP) { fprintf(stderr, "more than %d bytes to keep\n", KEEP); exit(1); }
    c->kept = end - from;
    memcpy(c->keep, from, c->kept);
}
/* Counts the events in a stretch of text; gives where an unfinished marker or number starts. */
static const char *count(const char *p, const char *end, uint64_t now) {
    for (;;) {
        const char *m = memmem(p, end - p, "\"t\":", 4);
        if (!m) return end - p < 3 ? p : end - 3;
        const char *d = m + 4;
        uint64_t t = 0;
        while (d < end && *d >= '0' && *d <= '9') t = t * 10 + (*d++ - '0');
        if (d == end) return m;
        p = d;
        if (t < since) continue; /* a late event of an earlier segment */
        received++;
        if (t >= timed_since && t <= now) record(now - t);
    }
}
static void pong(struct conn *c, const char *payload, int length) { /* the mask 0 changes nothing */
    char frame[6 + 125] = {(char)0x8a, (char)(0x80 | length), 0, 0, 0, 0};
    memcpy(frame + 6, payload, length);
    if (send(c->fd, frame, 6 + length, MSG_NOSIGNAL) < 0) drop(c);
}
/* RFC 6455, 5.2: takes all whole frames; gives where an unfinished one starts. */
static const char *frames(struct conn *c, const char *p, const char *end, uint64_t now) {
    while (end - p >= 2) {
        int opcode = p[0] & 15, length = p[1] & 127, head = length < 126 ? 2 : 4;
        if (length == 127) { fprintf(stderr, "a frame of more than 64 KiB\n"); exit(1); }
        if (end - p < head) break;
        if (length == 126) length = (uint8_t)p[2] << 8 | (uint8_t)p[3];
        if (end - p < head + length) break;
        if (opcode == 8) { drop(c); return end; }
        if (opcode == 9) pong(c, p + head, length);
        if (opcode < 3) count(p + head, p + head + length, now);
        p += head + length;
    }
    return p;
}
static void readable(struct conn *c, uint64_t *now) {
    static char buffer[KEEP + READ];
    char *p = buffer + KEEP - c->kept;
    memcpy(p, c->keep, c->kept);
    ssize_t got = recv(c->fd, buffer + KEEP, READ, 0);
    if (got <= 0) { if (got == 0 || errno != EAGAIN) drop(c); return; }
    char *end = buffer + KEEP + got;
    if (c->state == HEAD) {
        char *rest = memmem(p, end - p, "\r\n\r\n", 4);
        if (!rest) { keep(c, p, end); return; }
        if (memcmp(p + 9, ws ? "101" : "200", 3)) {
            if (!unexpected++) fprintf(stderr, "unexpected: %.*s\n", (int)(rest - p), p);
            drop(c);
            return;
        }
        c->state = OPEN, opening--, ready++;
        p = rest + 4;
    }
    *now = now_ns();
    const char *left = ws ? frames(c, p, end, *now) : count(p, end, *now);
    if (c->state == OPEN) keep(c, left, end);
}

/* ---- publishing --------------------------------------------------------------------------- */

static void open_publisher(void) {
    if (!strcmp(publish_how, "none")) return;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(publish_port)};
    int one = 1;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    publisher = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(publisher, (void *)&a, sizeof a)) die("connect publisher");
    setsockopt(publisher, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}
static int compose(char *event) {
    int length = sprintf(event, "{\"t\":%llu,\"seq\":%llu,\"kind\":\"tick\",\"pad\":\"",
                         (unsigned long long)now_ns(), (unsigned long long)published++);
    while (length < size - 2) event[length++] = 'x';
    return length + sprintf(event + length, "\"}");
}
static void publish(int burst) {
    static char out[1 << 20];
    char event[1024], ignored[65536];
    size_t length = 0;
    for (int i = 0; i < burst; i++) {
        int n = compose(event);
        if (*publish_how == 'p') /* post */
            length += sprintf(out + length, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s",
                              publish_path, n, event);
        else
            length += sprintf(out + length, "%s\n", event);
    }
    for (size_t put = 0; put < length;) {
        ssize_t n = send(publisher, out + put, length - put, MSG_NOSIGNAL);
        if (n < 0) die("publish");
        put += n;
    }
    while (recv(publisher, ignored, sizeof ignored, MSG_DONTWAIT) > 0);
}

/* ---- the loop ----------------------------------------------------------------------------- */

static double cpu_seconds(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return u.ru_utime.tv_sec + u.ru_stime.tv_sec + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}
static uint64_t turn(long wait_ns) {
    static struct epoll_event evs[1024];
    struct timespec wait = {wait_ns / SECOND, wait_ns % SECOND};
    uint64_t now = now_ns();
    int n = epoll_pwait2(ep, evs, 1024, &wait, NULL);
    for (int i = 0; i < n; i++) {
        struct conn *c = evs[i].data.ptr;
        if (c->state == DEAD) continue;
        if (c->state == CONTROL) commanded = 1;
        else if (c->state != CONNECTING) readable(c, &now);
        else if (evs[i].events & (EPOLLERR | EPOLLHUP)) drop(c);
        else request(c);
    }
    return now_ns();
}
static void connect_all(void) {
    uint64_t start = now_ns();
    while (ready + failed < wanted && failed <= wanted / 10 && now_ns() - start < 60ull * SECOND) {
        while (opened < wanted && opening < OPENING) connect_one(&conns[opened]);
        turn(SECOND / 1000);
    }
    printf("{\"ready\":%d,\"failed\":%d,\"setup_s\":%.4f}\n", ready, failed, (now_ns() - start) / 1e9);
    fflush(stdout);
}
/* Publishes what is due; gives for how long nothing else will be. */
static long publish_due(const struct segment *s, uint64_t now, uint64_t *next, uint64_t clients) {
    if (s->rate <= 0) {
        while (published * clients < received + (uint64_t)s->window * s->burst * clients) publish(s->burst);
        return SECOND / 1000;
    }
    for (; now >= *next; *next += SECOND * (double)s->burst / s->rate) publish(s->burst);
    return *next - now < SECOND / 1000 ? *next - now : SECOND / 1000;
}
static void run(const struct segment *s) {
    uint64_t start = now_ns(), now = start, next = start, last = start, seen = 0, clients = ready;
    uint64_t stop = start + s->seconds * SECOND;
    double cpu = cpu_seconds();
    int failed_before = failed;
    memset(steps, 0, sizeof steps);
    timed = slowest = received = published = 0;
    since = start, timed_since = start + s->warm * SECOND;
    for (int publishing = publisher >= 0 && clients > 0;;) {
        publishing = publishing && now < stop;
        long wait = publishing ? publish_due(s, now, &next, clients) : SECOND / 1000;
        now = turn(wait);
        if (received != seen) seen = received, last = now;
        if (now >= stop && (received >= published * clients || now - last > QUIET_NS)) break;
        if (now > stop + 30ull * SECOND) break;
    }
    double elapsed = (last - start) / 1e9;
    printf("{\"clients\":%llu,\"published\":%llu,\"received\":%llu,\"missing\":%lld,\"dropped\":%d,"
           "\"elapsed_s\":%.4f,\"p50_us\":%.0f,\"p99_us\":%.0f,\"max_us\":%.0f,\"load_cpu_s\":%.3f}\n",
           (unsigned long long)clients, (unsigned long long)published, (unsigned long long)received,
           (long long)(published * clients - received), failed - failed_before, elapsed,
           quantile_us(.5), quantile_us(.99), slowest / 1e3, cpu_seconds() - cpu);
    fflush(stdout);
}
/* Runs the segment that stdin asks for; gives 0 at its end. */
static int obey(void) {
    char text[256];
    struct segment s;
    ssize_t n = read(0, text, sizeof text - 1);
    text[n > 0 ? n : 0] = 0;
    commanded = 0;
    if (sscanf(text, "%lf %d %d %lf %lf", &s.rate, &s.window, &s.burst, &s.seconds, &s.warm) != 5) return 0;
    run(&s);
    return 1;
}
static void options(int argc, char **argv) {
    static struct option names[] = {{"mode", 1, 0, 'm'}, {"port", 1, 0, 'p'}, {"path", 1, 0, 'P'},
        {"header", 1, 0, 'H'}, {"clients", 1, 0, 'n'}, {"size", 1, 0, 's'}, {"publish", 1, 0, 'u'},
        {"publish-port", 1, 0, 'o'}, {"publish-path", 1, 0, 'O'}, {"tokens", 1, 0, 'T'}, {0}};
    for (int o; (o = getopt_long(argc, argv, "", names, 0)) != -1;) switch (o) {
        case 'm': ws = !strcmp(optarg, "ws"); break;
        case 'p': port = atoi(optarg); break;
        case 'P': path = optarg; break;
        case 'H': snprintf(headers + strlen(headers), sizeof headers - strlen(headers), "%s\r\n", optarg); break;
        case 'n': wanted = atoi(optarg); break;
        case 's': size = atoi(optarg); break;
        case 'u': publish_how = optarg; break;
        case 'o': publish_port = atoi(optarg); break;
        case 'O': publish_path = optarg; break;
        case 'T': if (!(tokens = fopen(optarg, "r"))) die(optarg); break;
        default: exit(2);
    }
    if (size > KEEP - 32) { fprintf(stderr, "--size is %d at most\n", KEEP - 32); exit(2); }
}
int main(int argc, char **argv) {
    options(argc, argv);
    conns = calloc(wanted, sizeof *conns);
    ep = epoll_create1(0);
    open_publisher();
    connect_all();
    static struct conn control = {.fd = 0, .state = CONTROL};
    watch(&control, EPOLL_CTL_ADD, EPOLLIN);
    do turn(SECOND); while (!commanded || obey());
    return 0;
}
