#include "linux_traffic.h"

#include <errno.h>

#ifdef __linux__

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/netlink.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { attribute_room = 256, answer_room = 1 << 15 };

// A request of traffic control, with room for attributes behind it.
struct request {
    struct nlmsghdr header;
    struct tcmsg message;
    char attributes[attribute_room];
};

// Called for each message of an answer, with its attributes by their numbers.
typedef void (*receiver)(const struct nlmsghdr *header, struct rtattr *attributes[TCA_MAX + 1], void *context);

static void begin(struct request *request, uint16_t type, uint16_t flags, uint32_t interface, uint32_t parent) {
    memset(request, 0, sizeof *request);
    request->header.nlmsg_len = NLMSG_LENGTH(sizeof request->message);
    request->header.nlmsg_type = type;
    request->header.nlmsg_flags = NLM_F_REQUEST | flags;
    request->message.tcm_family = AF_UNSPEC;
    request->message.tcm_ifindex = (int)interface;
    request->message.tcm_parent = parent;
}

// The attributes that are added here fit the room there is: names are cut before.
static struct rtattr *add(struct request *request, uint16_t type, const void *value, size_t size) {
    struct rtattr *attribute = (struct rtattr *)((char *)request + NLMSG_ALIGN(request->header.nlmsg_len));
    attribute->rta_type = type;
    attribute->rta_len = (uint16_t)RTA_LENGTH(size);
    if (size > 0) {
        memcpy(RTA_DATA(attribute), value, size);
    }
    request->header.nlmsg_len = NLMSG_ALIGN(request->header.nlmsg_len) + RTA_ALIGN(attribute->rta_len);
    return attribute;
}

static void read_attributes(struct rtattr *first, int length, struct rtattr **attributes, int highest) {
    memset(attributes, 0, sizeof *attributes * (size_t)(highest + 1));
    for (struct rtattr *each = first; RTA_OK(each, length); each = RTA_NEXT(each, length)) {
        int type = each->rta_type & NLA_TYPE_MASK;
        if (type <= highest) {
            attributes[type] = each;
        }
    }
}

// Receives answers until the one that ends them. Returns the error number that it has.
static int receive(int socket, receiver receiver, void *context) {
    char answer[answer_room];
    for (;;) {
        ssize_t size = recv(socket, answer, sizeof answer, 0);
        if (size < 0 && errno == EINTR) {
            continue;
        }
        if (size < 0) {
            return -errno;
        }
        int left = (int)size;
        for (struct nlmsghdr *header = (struct nlmsghdr *)answer; NLMSG_OK(header, left);
             header = NLMSG_NEXT(header, left)) {
            if (header->nlmsg_type == NLMSG_DONE) {
                return 0;
            }
            if (header->nlmsg_type == NLMSG_ERROR) {
                return ((struct nlmsgerr *)NLMSG_DATA(header))->error;
            }
            if (receiver != NULL && header->nlmsg_len >= NLMSG_LENGTH(sizeof(struct tcmsg))) {
                struct rtattr *attributes[TCA_MAX + 1];
                struct tcmsg *message = NLMSG_DATA(header);
                read_attributes(
                    TCA_RTA(message), (int)(header->nlmsg_len - NLMSG_LENGTH(sizeof *message)), attributes, TCA_MAX);
                receiver(header, attributes, context);
            }
        }
    }
}

static int ask(struct request *request, receiver receiver, void *context) {
    int route = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (route < 0) {
        return -errno;
    }
    int result;
    if (send(route, request, request->header.nlmsg_len, 0) < 0) {
        result = -errno;
    } else {
        result = receive(route, receiver, context);
    }
    close(route);
    return result;
}

static void copy_text(char *to, size_t room, const struct rtattr *attribute) {
    size_t size = attribute == NULL ? 0 : RTA_PAYLOAD(attribute);
    size = size < room - 1 ? size : room - 1;
    if (size > 0) {
        memcpy(to, RTA_DATA(attribute), size);
    }
    to[size] = 0;
}

static int change_clsact(uint32_t interface, uint16_t type, uint16_t flags) {
    struct request request;
    begin(&request, type, NLM_F_ACK | flags, interface, TC_H_CLSACT);
    request.message.tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
    add(&request, TCA_KIND, "clsact", sizeof "clsact");
    return ask(&request, NULL, NULL);
}

int linux_traffic_add_clsact(uint32_t interface) {
    return change_clsact(interface, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL);
}

int linux_traffic_remove_clsact(uint32_t interface) {
    return change_clsact(interface, RTM_DELQDISC, 0);
}

struct discipline {
    uint32_t interface;
    int is_found;
    char *kind;
};

static void receive_discipline(const struct nlmsghdr *header, struct rtattr *attributes[TCA_MAX + 1], void *context) {
    struct discipline *wanted = context;
    const struct tcmsg *message = NLMSG_DATA(header);
    if (header->nlmsg_type == RTM_NEWQDISC && (uint32_t)message->tcm_ifindex == wanted->interface &&
        message->tcm_parent == TC_H_CLSACT) {
        wanted->is_found = 1;
        copy_text(wanted->kind, 16, attributes[TCA_KIND]);
    }
}

int linux_traffic_discipline(uint32_t interface, char *kind) {
    struct request request;
    struct discipline wanted = {.interface = interface, .kind = kind};
    begin(&request, RTM_GETQDISC, NLM_F_DUMP, interface, 0);
    int result = ask(&request, receive_discipline, &wanted);
    return result < 0 ? result : wanted.is_found;
}

static uint32_t parent(int is_egress) {
    return TC_H_MAKE(TC_H_CLSACT, is_egress ? TC_H_MIN_EGRESS : TC_H_MIN_INGRESS);
}

static void read_filter(
    const struct nlmsghdr *header, struct rtattr *attributes[TCA_MAX + 1], struct linux_traffic_filter *filter) {
    const struct tcmsg *message = NLMSG_DATA(header);
    memset(filter, 0, sizeof *filter);
    filter->priority = TC_H_MAJ(message->tcm_info) >> 16;
    filter->handle = message->tcm_handle;
    copy_text(filter->kind, sizeof filter->kind, attributes[TCA_KIND]);
    if (strcmp(filter->kind, "bpf") == 0 && attributes[TCA_OPTIONS] != NULL) {
        struct rtattr *options[TCA_BPF_MAX + 1];
        read_attributes(
            RTA_DATA(attributes[TCA_OPTIONS]), (int)RTA_PAYLOAD(attributes[TCA_OPTIONS]), options, TCA_BPF_MAX);
        copy_text(filter->name, sizeof filter->name, options[TCA_BPF_NAME]);
        if (options[TCA_BPF_ID] != NULL && RTA_PAYLOAD(options[TCA_BPF_ID]) >= sizeof filter->program) {
            memcpy(&filter->program, RTA_DATA(options[TCA_BPF_ID]), sizeof filter->program);
        }
    }
}

static void receive_added(const struct nlmsghdr *header, struct rtattr *attributes[TCA_MAX + 1], void *context) {
    if (header->nlmsg_type == RTM_NEWTFILTER) {
        read_filter(header, attributes, context);
    }
}

int linux_traffic_add_filter(
    uint32_t interface, int is_egress, uint32_t priority, int program, const char *name,
    struct linux_traffic_filter *added) {
    struct request request;
    uint32_t descriptor = (uint32_t)program;
    uint32_t flags = TCA_BPF_FLAG_ACT_DIRECT;
    size_t length = strnlen(name, sizeof added->name - 1);
    char text[sizeof added->name] = {0};
    memcpy(text, name, length);
    begin(
        &request, RTM_NEWTFILTER, NLM_F_ACK | NLM_F_ECHO | NLM_F_CREATE | NLM_F_EXCL, interface, parent(is_egress));
    request.message.tcm_info = TC_H_MAKE(priority << 16, htons(ETH_P_ALL));
    add(&request, TCA_KIND, "bpf", sizeof "bpf");
    struct rtattr *options = add(&request, TCA_OPTIONS, NULL, 0);
    add(&request, TCA_BPF_FD, &descriptor, sizeof descriptor);
    add(&request, TCA_BPF_NAME, text, length + 1);
    add(&request, TCA_BPF_FLAGS, &flags, sizeof flags);
    options->rta_len = (uint16_t)((char *)&request + request.header.nlmsg_len - (char *)options);
    memset(added, 0, sizeof *added);
    return ask(&request, receive_added, added);
}

int linux_traffic_remove_filter(uint32_t interface, int is_egress, uint32_t priority, uint32_t handle) {
    struct request request;
    begin(&request, RTM_DELTFILTER, NLM_F_ACK, interface, parent(is_egress));
    request.message.tcm_info = TC_H_MAKE(priority << 16, htons(ETH_P_ALL));
    request.message.tcm_handle = handle;
    add(&request, TCA_KIND, "bpf", sizeof "bpf");
    return ask(&request, NULL, NULL);
}

struct list {
    struct linux_traffic_filter *filters;
    uint32_t room;
    uint32_t count;
};

static void receive_filter(const struct nlmsghdr *header, struct rtattr *attributes[TCA_MAX + 1], void *context) {
    struct list *list = context;
    if (header->nlmsg_type == RTM_NEWTFILTER) {
        if (list->count < list->room) {
            read_filter(header, attributes, &list->filters[list->count]);
        }
        list->count += 1;
    }
}

int linux_traffic_list(uint32_t interface, int is_egress, struct linux_traffic_filter *filters, uint32_t room) {
    struct request request;
    struct list list = {.filters = filters, .room = room};
    begin(&request, RTM_GETTFILTER, NLM_F_DUMP, interface, parent(is_egress));
    int result = ask(&request, receive_filter, &list);
    return result < 0 ? result : (int)list.count;
}

#else

int linux_traffic_add_clsact(uint32_t interface) {
    (void)interface;
    return -ENOSYS;
}

int linux_traffic_remove_clsact(uint32_t interface) {
    (void)interface;
    return -ENOSYS;
}

int linux_traffic_discipline(uint32_t interface, char *kind) {
    (void)interface, (void)kind;
    return -ENOSYS;
}

int linux_traffic_add_filter(
    uint32_t interface, int is_egress, uint32_t priority, int program, const char *name,
    struct linux_traffic_filter *added) {
    (void)interface, (void)is_egress, (void)priority, (void)program, (void)name, (void)added;
    return -ENOSYS;
}

int linux_traffic_remove_filter(uint32_t interface, int is_egress, uint32_t priority, uint32_t handle) {
    (void)interface, (void)is_egress, (void)priority, (void)handle;
    return -ENOSYS;
}

int linux_traffic_list(uint32_t interface, int is_egress, struct linux_traffic_filter *filters, uint32_t room) {
    (void)interface, (void)is_egress, (void)filters, (void)room;
    return -ENOSYS;
}

#endif
