"""The core reads no clock, opens no file or socket, starts no thread and throws nothing: asked of the archives."""
import re
import subprocess

ABOUT = "core archives refer to no clock, entropy, socket, file, thread, environment or throw (nm on preset gcc)"

FORBIDDEN = re.compile(
    r"(?:clock_gettime|gettimeofday|time|localtime(?:_r)?|gmtime(?:_r)?|nanosleep|usleep|sleep"
    r"|getrandom|getentropy|rand|srand|random"
    r"|socket|bind|connect|accept4?|listen|sendto|sendmsg|sendmmsg|recvfrom|recvmsg|recvmmsg|poll|select|epoll_\w+|getaddrinfo"
    r"|f?open(?:64)?|openat|creat|unlink|rename|fsync|fdatasync"
    r"|pthread_create|fork|v?fork|exec[vle]\w*|system|popen|dlopen|getenv|setenv"
    r"|__cxa_throw|__cxa_allocate_exception|__cxa_begin_catch"
    r"|std::chrono::_V2::\w+::now\(\)|std::random_device::.*|std::thread::.*|std::filesystem::.*"
    r"|std::basic_[io]?f(?:stream|ilebuf).*)(?:@.*)?$")

# Archives that are not of the core, and single objects of the core that exist to be impure.
EDGE_ARCHIVES = {"libethnet_runtime.a", "libethnet_observe.a"}
EXCEPTED = {
    ("libethnet_sim.a", "interpose"): "replaces the clock and the entropy of a simulated world",
    ("libethnet_store.a", "posix_file_system"): "the one object of the store that touches the operating system's files",
    ("libethnet_sim.a", "run_seed"): "runs every seed on a fresh thread, since GnuTLS keeps a generator a thread",
}


def undefined(archive):
    """(object, symbol) for every undefined symbol of `archive`."""
    listing = subprocess.run(["nm", "-uC", str(archive)], check=True, capture_output=True, text=True).stdout
    current = ""
    for line in listing.splitlines():
        if line.endswith(".o:"):
            current = line[:-1]
        elif line.strip():
            yield current, line.strip().split(" ", 1)[-1].strip()


def excepted(archive, item):
    return any(archive == name and item.startswith(prefix) for name, prefix in EXCEPTED)


def run(tree):
    archives = [a for a in sorted((tree.root / "build/gcc/src").rglob("libethnet_*.a")) if a.name not in EDGE_ARCHIVES]
    if not archives:
        return ["build/gcc has no core archive: run the check 'gcc' first"]
    return [f"{archive.name}({item}): refers to {symbol}" for archive in archives for item, symbol in undefined(archive)
            if FORBIDDEN.match(symbol) and not excepted(archive.name, item)]
