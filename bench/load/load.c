/*
 * The load generator: one process for each server, with all connections open for the whole run. While idle it answers pings. Commands are
 * lines on stdin:
 *
 *   go <milliseconds>   runs one slice of the mode, and prints one line of JSON
 *   move <node>         crowd: waits until that node's connections are lost, and opens them again at the other nodes; prints a line
 *                       when the node may end, and one when all are open
 *   end                 closes all connections
 *
 * usage: load <port[,port...]> <mode> <connections> <in flight> <bytes> <text|binary|socketio> [rooms]
 *
 * Connections are spread over the ports, the nodes of a cluster, by turns. With the last argument their paths name a room. "socketio" is text in
 * the protocol of Socket.IO.
 *
 * echo     every connection keeps that many messages in flight; answers must equal the messages, in order
 * latency  the same, and measures each round trip
 * fanout   the first connection publishes (path /pub); a publish is done when every other one has received it, in order
 * connect  opens, closes and opens again; "in flight" is the number at once
 * idle     opens connections (path /?idle), and waits
 * crowd    many rooms, each on all nodes: one connection of each publishes, and all have to receive it
 * readers  fanout whose subscribers have delivery: they return the marks of their windows
 * returns  connect with delivery: each client comes back to its session, and says how far it is in each of its logs
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ECHO, LATENCY, FANOUT, CONNECT, IDLE, CROWD, READERS, RETURNS };
/* JOINING: Socket.IO has not said yet that it is connected. */
enum { CLOSED, CONNECTING, SHAKING, JOINING, OPEN, ENDING };

typedef struct {
  int fd, state;
  int node; /* index of its port */
  uint32_t sent, received; /* sequence numbers */
  uint8_t *in;
  size_t held; /* bytes in `in` */
  uint8_t *out;
  size_t out_len, out_at;
  uint64_t at; /* when the pending message was sent (latency) */
  char *resume;       /* what it offers when it comes back (returns) */
  int logs, complete; /* what it was told of: how many, and whether that is all */
} conn;

/* What a mode does like another: `delivery` is what it does in addition. */
static int epoll, mode, delivery, connections, inflight, size, binary, socketio, rooms;
enum { most_nodes = 16 };
static int ports[most_nodes], nodes;
static conn *conns;
/* `opening`: their handshakes are not answered yet. */
static int running, open_count, opening;
static size_t in_cap, out_cap, header_len;
static uint64_t done, started, deadline, last;
static uint32_t *samples;
static size_t sample_count, sample_cap;
/* fan-out: how many subscribers have received each pending publish */
static uint32_t published, completed;
static uint32_t got[65536];
/* crowd: rounds of publishes, how many have received the current one, and the node whose connections may be lost */
static uint32_t crowd_round;
static int crowd_got, leaving = -1, lost;
/* Topics that a client with delivery reads (returns). */
enum { logs = 10, resume_cap = 1024 };

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + t.tv_nsec;
}

static void die(const char *what) {
  printf("{\"error\":\"%s (%s)\"}\n", what, strerror(errno));
  fflush(stdout);
  exit(1);
}

static void watch(conn *c, int op) {
  struct epoll_event e = {.events = EPOLLIN | (c->out_at < c->out_len || c->state == CONNECTING ? EPOLLOUT : 0), .data.ptr = c};
  if (epoll_ctl(epoll, op, c->fd, &e) < 0) die("epoll_ctl");
}

static void flush_out(conn *c) {
  int waited = 0;
  while (c->out_at < c->out_len) {
    ssize_t n = write(c->fd, c->out + c->out_at, c->out_len - c->out_at);
    if (n < 0 && errno == EAGAIN) {
      waited = 1;
      break;
    }
    if (n < 0) die("write");
    c->out_at += n;
  }
  if (c->out_at == c->out_len) c->out_at = c->out_len = 0;
  static int writing[1 << 20];
  if (waited != writing[c->fd]) {
    writing[c->fd] = waited;
    watch(c, EPOLL_CTL_MOD);
  }
}

static void put(conn *c, const void *bytes, size_t n) {
  if (c->out_at > 0) {
    memmove(c->out, c->out + c->out_at, c->out_len - c->out_at);
    c->out_len -= c->out_at;
    c->out_at = 0;
  }
  if (c->out_len + n > out_cap) die("the output buffer is full");
  memcpy(c->out + c->out_len, bytes, n);
  c->out_len += n;
}

static uint8_t *frame; /* a masked frame; the mask is zero, the first eight bytes of the payload are the number in hex */

/* What Socket.IO has around a message, which is the only argument of an event. */
#define BEFORE "42[\"m\",\""
#define AFTER "\"]"
static size_t before_len, after_len;

static void make_frame(void) {
  before_len = socketio ? strlen(BEFORE) : 0;
  after_len = socketio ? strlen(AFTER) : 0;
  size_t whole = before_len + size + after_len;
  header_len = 2 + (whole < 126 ? 0 : whole < 65536 ? 2 : 8) + 4;
  frame = calloc(1, header_len + whole);
  frame[0] = binary ? 0x82 : 0x81;
  if (whole < 126) frame[1] = 0x80 | whole;
  else if (whole < 65536) {
    frame[1] = 0x80 | 126;
    frame[2] = whole >> 8;
    frame[3] = whole & 255;
  } else {
    frame[1] = 0x80 | 127;
    for (int i = 0; i < 8; i++) frame[2 + i] = (uint64_t)whole >> (8 * (7 - i));
  }
  memcpy(frame + header_len, BEFORE, before_len);
  header_len += before_len;
  for (int i = 0; i < size; i++) frame[header_len + i] = "abcdefghijklmnop"[i % 16];
  memcpy(frame + header_len + size, AFTER, after_len);
}

static void number(uint8_t *to, uint32_t n) {
  for (int i = 0; i < 8; i++) to[i] = "0123456789abcdef"[(n >> (28 - 4 * i)) & 15];
}

static void send_next(conn *c) {
  number(frame + header_len, c->sent++);
  put(c, frame, header_len + size + after_len);
}

static void open_conn(conn *c) {
  static uint32_t source;
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (c->fd < 0) die("socket");
  int one = 1;
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001 + (source++ % 200))};
  setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
  if (bind(c->fd, (void *)&from, sizeof from) < 0) die("bind");
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(ports[c->node]), .sin_addr.s_addr = htonl(0x7f000001)};
  if (connect(c->fd, (void *)&to, sizeof to) < 0 && errno != EINPROGRESS) die("connect");
  c->state = CONNECTING;
  opening++;
  c->held = c->out_at = c->out_len = 0;
  c->sent = c->received = mode == CROWD ? crowd_round : 0;
  watch(c, EPOLL_CTL_ADD);
}

/* What a browser also sends. Used only if handshakes are measured: in other modes, servers that accept the offer would compress messages. */
#define BROWSER                                                                                                          \
  "Origin: http://localhost:%d\r\nPragma: no-cache\r\nCache-Control: no-cache\r\n"                                        \
  "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36\r\n" \
  "Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-US,en;q=0.9,de;q=0.8\r\n"                             \
  "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\n"                                                     \
  "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"

/* Whether it publishes, and subscribes to nothing. */
static int publishes(conn *c) {
  return mode == FANOUT && c == conns;
}

static void path(conn *c, char *to, size_t capacity) {
  if (!rooms) {
    snprintf(to, capacity, publishes(c) ? "/pub" : mode == IDLE ? "/?idle" : "/");
    return;
  }
  char room[16] = "f";
  /* Each room has connections at all nodes. */
  if (mode == CROWD) snprintf(room, sizeof room, "c%d", (int)(c - conns) / nodes % rooms);
  if (socketio) snprintf(to, capacity, "/socket.io/?EIO=4&transport=websocket&room=%s%s", room, publishes(c) ? "&pub" : "");
  else snprintf(to, capacity, "/%s%s", room, publishes(c) ? "?pub" : "");
}

static void shake(conn *c) {
  char target[128];
  path(c, target, sizeof target);
  int port = ports[c->node];
  char more[2048] = "", head[2560];
  if (mode == CONNECT) snprintf(more, sizeof more, BROWSER, port);
  int reads = delivery && !publishes(c);
  if (reads) {
    size_t length = strlen(more);
    snprintf(more + length, sizeof more - length, "Sec-WebSocket-Protocol: edgewire.delivery.1%s%s\r\n", c->resume ? ", " : "", c->resume ? c->resume : "");
  }
  int n = snprintf(head, sizeof head,
                   "GET %s HTTP/1.1\r\nHost: localhost:%d\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                   "%sSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                   target, port, more);
  c->state = SHAKING;
  put(c, head, n);
}

static void close_conn(conn *c) {
  /* A client with delivery goes away: its session waits for it. */
  uint8_t frame[] = {0x88, 0x82, 0, 0, 0, 0, 0x03, delivery ? 0xe9 : 0xe8};
  put(c, frame, sizeof frame);
  c->state = ENDING;
}

static void gone(conn *c) {
  close(c->fd);
  if (c->state == OPEN) open_count--;
  if (c->node == leaving) {
    if (lost++ == 0) started = now();
    c->state = CLOSED;
    return;
  }
  if (c->state != ENDING) die("the server ended a connection");
  c->state = CLOSED;
  if (mode != CONNECT) return;
  done++;
  last = now();
  if (running && last < deadline) open_conn(c);
}

static void publish(conn *c) {
  while ((int)(published - completed) < inflight && (c->at = now()) < deadline) {
    published++;
    send_next(c);
  }
}

/* The text between two others, in what is `n` bytes long and ends with a brace. */
static const char *between(const char *text, size_t n, const char *before, char after, size_t *length) {
  const char *at = memmem(text, n, before, strlen(before));
  if (!at) return NULL;
  at += strlen(before);
  const char *end = memchr(at, after, text + n - at);
  if (!end) die("a control frame of another form");
  *length = end - at;
  return at;
}

static void append(conn *c, const char *separator, const char *text, size_t n) {
  size_t length = strlen(c->resume);
  if (length + n + 2 > resume_cap) die("a resume that is too long");
  snprintf(c->resume + length, resume_cap - length, "%s%.*s", separator, (int)n, text);
}

/* A control frame of delivery (docs/PROTOCOL.md). Marks are returned; the session and its logs are remembered for the return. */
static void control(conn *c, const char *text, size_t n) {
  size_t length;
  if (between(text, n, "{\"mark\":", '}', &length)) {
    put(c, (uint8_t[]){0x81, 0x80 | n, 0, 0, 0, 0}, 6);
    put(c, text, n);
    return;
  }
  if (mode != CONNECT) return;
  const char *session = between(text, n, "\"session\":\"", '"', &length);
  if (session && c->resume) {
    if (!memmem(text, n, "\"resumed\":true", 14)) die("the session is gone");
    if (c->complete) close_conn(c), open_count--;
    else die("a session that was not introduced");
    return;
  }
  if (session) {
    c->resume = calloc(1, resume_cap);
    append(c, "edgewire.resume.1~", session, length);
    append(c, "", ".0", 2);
    return;
  }
  const char *log = between(text, n, "\"n\":", ',', &length);
  if (!log || !c->resume) return;
  append(c, "~", log, length);
  const char *subscription = between(text, n, "\"s\":", ',', &length);
  append(c, "-", subscription, length);
  const char *at = between(text, n, "\"at\":\"", '"', &length);
  append(c, ".", at, length);
  if (++c->logs < logs) return;
  c->complete = 1;
  close_conn(c);
  open_count--;
}

static void opened(conn *c) {
  c->state = OPEN;
  opening--;
  open_count++;
}

static void put_text(conn *c, const char *text) {
  put(c, (uint8_t[]){0x81, 0x80 | strlen(text), 0, 0, 0, 0}, 6);
  put(c, text, strlen(text));
}

/* Whether it was a packet that is no event. */
static int socketio_packet(conn *c, const uint8_t *payload, size_t n) {
  if (n > 0 && payload[0] == '0') put_text(c, "40");
  else if (n > 0 && payload[0] == '2') put_text(c, "3");
  else if (n > 1 && !memcmp(payload, "40", 2)) opened(c);
  else return 0;
  return 1;
}

static void message(conn *c, const uint8_t *payload, size_t n) {
  if (socketio) {
    if (socketio_packet(c, payload, n)) return;
    if (n < before_len + after_len || memcmp(payload, BEFORE, before_len)) die("another packet");
    payload += before_len;
    n -= before_len + after_len;
  }
  if (delivery && n > 0 && payload[0] == '!') return control(c, (const char *)payload, n);
  if (delivery) {
    const uint8_t *end = memchr(payload, ';', n);
    if (!end) die("an entry without a header");
    n -= end + 1 - payload;
    payload = end + 1;
  }
  if (n != (size_t)size) die("a message of another length");
  uint8_t expected[8];
  number(expected, c->received);
  if (memcmp(payload, expected, 8) || payload[n - 1] != frame[header_len + n - 1] || (n > 8 && payload[8] != frame[header_len + 8])) die("another message, or out of order");
  c->received++;
  if (mode == FANOUT) {
    uint32_t slot = (c->received - 1) & 65535;
    done++;
    if ((int)++got[slot] < connections - 1) return;
    got[slot] = 0;
    completed++;
    if (sample_count < sample_cap) samples[sample_count++] = now() - conns->at;
    return;
  }
  done++;
  if (mode == CROWD) {
    crowd_got++;
    return;
  }
  if (mode == LATENCY) {
    if (sample_count < sample_cap) samples[sample_count++] = now() - c->at;
  }
}

static void read_conn(conn *c) {
  for (;;) {
    ssize_t n = read(c->fd, c->in + c->held, in_cap - c->held);
    if (n < 0 && errno == EAGAIN) return;
    if (n < 0 && c->state != ENDING && c->node != leaving) die("read");
    if (n <= 0) return gone(c);
    c->held += n;
    size_t at = 0;
    if (c->state == SHAKING) {
      uint8_t *end = memmem(c->in, c->held, "\r\n\r\n", 4);
      if (!end) return;
      if (memcmp(c->in, "HTTP/1.1 101", 12)) die("no 101");
      at = end + 4 - c->in;
      if (socketio) c->state = JOINING;
      else opened(c);
      if (mode == CONNECT && !delivery) {
        close_conn(c);
        open_count--;
      }
    }
    uint32_t before = c->received;
    while (c->held - at >= 2) {
      uint8_t *f = c->in + at;
      uint64_t length = f[1] & 127;
      size_t head = 2;
      if (length == 126) head = 4;
      if (length == 127) head = 10;
      if (c->held - at < head) break;
      if (head == 4) length = f[2] << 8 | f[3];
      if (head == 10) {
        length = 0;
        for (int i = 0; i < 8; i++) length = length << 8 | f[2 + i];
      }
      if (c->held - at < head + length) break;
      int opcode = f[0] & 15;
      if (opcode == 9) {
        uint8_t pong[6 + 125] = {0x8a, 0x80 | length};
        memcpy(pong + 6, f + head, length);
        put(c, pong, 6 + length);
      } else if (opcode == 8) {
        static char reason[160];
        snprintf(reason, sizeof reason, "the server closed: %d %.*s", length < 2 ? 0 : f[head] << 8 | f[head + 1], length < 2 ? 0 : (int)length - 2, f + head + 2);
        if (c->state != ENDING) die(reason);
      } else if (opcode == (binary ? 2 : 1)) message(c, f + head, length);
      else if (opcode != 10) die("a frame of another type");
      at += head + length;
    }
    memmove(c->in, c->in + at, c->held - at);
    c->held -= at;
    uint32_t came = c->received - before;
    if (came > 0 && mode != FANOUT && mode != CROWD) {
      last = now();
      if (running && last < deadline) {
        for (uint32_t i = 0; i < came; i++) send_next(c);
        c->at = last;
      }
    }
    if (mode == FANOUT && running) {
      last = now();
      publish(conns);
      if (conns->out_len > conns->out_at && c != conns) flush_out(conns);
    }
    flush_out(c);
  }
}

static int busy(void) {
  if (mode == FANOUT) return published != completed;
  if (mode == CROWD) return crowd_got != connections;
  for (int i = 0; i < connections; i++) {
    conn *c = conns + i;
    if (mode == CONNECT ? c->state != CLOSED : c->sent != c->received) return 1;
  }
  return 0;
}

/* Returns the number of events. */
static int turn(int wait) {
  struct epoll_event events[512];
  int n = epoll_wait(epoll, events, 512, wait);
  for (int i = 0; i < n; i++) {
    conn *c = events[i].data.ptr;
    if (!c) continue;
    if (c->state == CONNECTING) {
      int error = 0;
      socklen_t length = sizeof error;
      getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &length);
      if (error) {
        errno = error;
        die("connect");
      }
      shake(c);
      flush_out(c);
      watch(c, EPOLL_CTL_MOD);
      continue;
    }
    if (c->state == CLOSED) continue;
    if (events[i].events & EPOLLOUT) flush_out(c);
    if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) read_conn(c);
  }
  return n;
}

static int by_value(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return x < y ? -1 : x > y;
}

/* A connection of each room publishes, at another node for each. */
static void crowd(void) {
  crowd_round++;
  crowd_got = 0;
  for (int room = 0; room < rooms; room++) {
    conn *c = conns + room * nodes + room % nodes;
    send_next(c);
    flush_out(c);
  }
}

static void say(uint64_t idle) {
  printf("{\"messages\":%llu,\"ms\":%.3f,\"busy\":%.3f", (unsigned long long)done, (last - started) / 1e6, 1 - (double)idle / (now() - started));
  if (sample_count > 0) {
    qsort(samples, sample_count, sizeof *samples, by_value);
    printf(",\"p50\":%u,\"p99\":%u", samples[sample_count / 2], samples[sample_count * 99 / 100]);
  }
  printf("}\n");
  fflush(stdout);
}

static void move(int node) {
  if (mode != CROWD || nodes < 2 || node < 0 || node >= nodes) die("a move that is impossible");
  int expected = 0;
  for (int i = 0; i < connections; i++) expected += conns[i].node == node;
  leaving = node;
  lost = 0;
  /* Now the node may end. */
  printf("{\"leaving\":%d}\n", node);
  fflush(stdout);
  uint64_t until = now() + 120 * 1000000000ull;
  for (int i = 0; lost < expected || open_count < connections; i = (i + 1) % connections) {
    conn *c = conns + i;
    if (c->state == CLOSED && opening < 400) {
      c->node = (node + 1 + i / nodes % (nodes - 1)) % nodes;
      open_conn(c);
    }
    if (i % 64 == 0) turn(0);
    errno = 0;
    if (now() > until) die("connections are missing two minutes after a move");
  }
  leaving = -1;
  last = now();
  done = expected;
  say(0);
}

static void go(int milliseconds) {
  done = sample_count = 0;
  running = 1;
  started = last = now();
  deadline = started + milliseconds * 1000000ull;
  if (mode == CONNECT) {
    for (int i = 0; i < connections; i++) {
      open_conn(conns + i);
      /* A listener's backlog is limited. */
      while (opening >= 400) turn(0);
    }
  } else if (mode == FANOUT) {
    publish(conns);
    flush_out(conns);
  } else if (mode == CROWD) crowd();
  else if (mode != IDLE) {
    for (int i = 0; i < connections; i++) {
      for (int k = 0; k < inflight; k++) send_next(conns + i);
      conns[i].at = now();
      flush_out(conns + i);
    }
  }
  /*
   * Polls without sleeping: waking a sleeping process costs the sender (a twentieth of an echo on Bun), and a slower server would have to do it more
   * often. A client behind a network does not cost its server that.
   */
  uint64_t idle = 0, since = 0, time;
  while ((time = now()) < deadline || busy()) {
    if (mode == CROWD && !busy()) crowd();
    if (turn(0) == 0) {
      if (!since) since = time;
    } else if (since) {
      idle += time - since;
      since = 0;
    }
    /* A crowd takes longer. */
    if (time > deadline + (delivery || mode == CROWD ? 60 : 10) * 1000000000ull) {
      errno = 0;
      if (mode == CROWD) {
        static char missing[160];
        int length = snprintf(missing, sizeof missing, "round %u, %d of %d have received it; not:", crowd_round, crowd_got, connections);
        for (int i = 0; i < connections && length < 120; i++)
          if (conns[i].received != crowd_round) length += snprintf(missing + length, sizeof missing - length, " %d", i);
        die(missing);
      }
      die("answers are missing long after the end");
    }
  }
  running = 0;
  say(idle);
}

int main(int argc, char **argv) {
  if (argc != 7 && argc != 8) {
    fprintf(stderr, "usage: load <port[,port...]> <mode> <connections> <in flight> <bytes> <text|binary|socketio> [rooms]\n");
    return 2;
  }
  static const char *modes[] = {"echo", "latency", "fanout", "connect", "idle", "crowd", "readers", "returns"};
  for (char *one = strtok(argv[1], ","); one && nodes < most_nodes; one = strtok(NULL, ",")) ports[nodes++] = atoi(one);
  for (mode = 0; mode <= RETURNS && strcmp(argv[2], modes[mode]); mode++) continue;
  connections = atoi(argv[3]);
  inflight = atoi(argv[4]);
  size = atoi(argv[5]);
  binary = argv[6][0] == 'b';
  socketio = argv[6][0] == 's';
  rooms = argc == 8 ? atoi(argv[7]) : 0;
  if (mode > RETURNS || size < 9) die("no such mode, or fewer than nine bytes");
  if (mode == CROWD && (rooms < 1 || connections < rooms * nodes)) die("a crowd needs rooms, and a connection at each node for each of them");
  delivery = mode > CROWD;
  if (delivery) mode = mode == READERS ? FANOUT : CONNECT;
  if (mode == FANOUT) connections++;
  if (mode == CONNECT) connections = inflight;
  epoll = epoll_create1(0);
  make_frame();
  in_cap = (mode == IDLE || mode == CONNECT ? 1024 : 4096) + (mode == IDLE ? 0 : mode == CROWD ? 2 * (size_t)(size + 30) : 2 * (size_t)(size + 14) > 65536 ? 2 * (size_t)(size + 14) : 65536);
  out_cap = 1024 + (delivery ? 4096 : 0) + (mode == IDLE || mode == CONNECT ? 0 : (size_t)(inflight + 1) * (size + 30) * 2);
  conns = calloc(connections, sizeof *conns);
  sample_cap = mode == LATENCY || (rooms && mode == FANOUT && inflight == 1) ? 1 << 22 : 0;
  if (sample_cap) samples = malloc(sample_cap * sizeof *samples);
  for (int i = 0; i < connections; i++) {
    conns[i].in = malloc(in_cap);
    conns[i].out = malloc(out_cap);
    conns[i].node = i % nodes;
    if (mode == CONNECT) continue;
    open_conn(conns + i);
    /* In batches, because a listener's backlog is limited. */
    while (open_count < i - 100) turn(10);
  }
  while (mode != CONNECT && open_count < connections) turn(10);
  struct epoll_event e = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &e);
  printf("{\"ready\":%d}\n", open_count);
  fflush(stdout);
  fcntl(0, F_SETFL, O_NONBLOCK);
  char line[64];
  for (;;) {
    turn(100);
    ssize_t n = read(0, line, sizeof line - 1);
    if (n == 0) return 0;
    if (n < 0) continue;
    line[n] = 0;
    if (line[0] == 'g') go(atoi(line + 3));
    else if (line[0] == 'm') move(atoi(line + 5));
    else return 0;
  }
}
