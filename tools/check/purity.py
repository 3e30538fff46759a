"""The core reads no clock, opens no file or socket, starts no thread, prints nothing, manages no raw memory and throws nothing: asked of the archives."""
import re
import subprocess

ABOUT = "core archives refer to no clock, entropy, socket, file, thread, print, malloc, environment or throw (nm on preset gcc)"

FORBIDDEN = re.compile(
    r"(?:clock|clock_gettime|clock_getres|gettimeofday|time|times|timespec_get|localtime(?:_r)?|gmtime(?:_r)?|mktime"
    r"|nanosleep|clock_nanosleep|usleep|sleep|alarm|setitimer|timer_\w+"
    r"|getrandom|getentropy|arc4random\w*|s?rand(?:_r)?|s?random(?:_r)?|[delmnj]rand48(?:_r)?"
    r"|socket(?:pair)?|bind|connect|accept4?|listen|send(?:to|m?msg)?|recv(?:from|m?msg)?|poll|ppoll|p?select|epoll_\w+"
    r"|setsockopt|getsockopt|shutdown|getaddrinfo|gethostby\w+|if_nametoindex"
    r"|f?d?open(?:64)?|fopen64|freopen|openat(?:64)?|creat|unlink(?:at)?|remove|rename|fsync|fdatasync|ftruncate(?:64)?|stat(?:64)?"
    r"|[fl]stat(?:64)?|mkdir|rmdir|opendir|readdir(?:64)?|tmpfile|mkstemp|p?read(?:v|64)?|p?write(?:v|64)?|close|lseek(?:64)?"
    r"|ioctl|fcntl(?:64)?|pipe2?|dup[23]?|syscall|isatty|signal|sigaction|raise|kill|getpid|gethostname|uname|sysconf"
    r"|v?[fd]?printf|__v?[fd]?printf_chk|f?puts|f?putc|putchar|fwrite|fflush|perror|stderr|stdout|stdin"
    r"|malloc|calloc|realloc|reallocarray|free|aligned_alloc|(?:posix_)?memalign|mmap(?:64)?|munmap|mprotect|s?brk"
    r"|pthread_(?:create|mutex_\w+|cond_\w+|rwlock_\w+|key_create|once)|fork|v?fork|clone|exec[vle]\w*|posix_spawn\w*|system"
    r"|popen|dlopen|dlsym|(?:secure_)?getenv|setenv|putenv|setlocale|_?exit|quick_exit|atexit"
    r"|__cxa_throw|__cxa_rethrow|__cxa_allocate_exception|__cxa_begin_catch"
    r"|std::chrono::_V2::\w+::now\(\)|std::random_device::.*|std::thread::.*|std::condition_variable::.*|std::filesystem::.*"
    r"|std::(?:cout|cerr|clog|cin|wcout|wcerr)|std::ios_base::Init::.*|std::this_thread::.*|std::locale::global.*"
    r"|std::basic_[io]?f(?:stream|ilebuf).*|fmt::v\d+::v?print.*)(?:@.*)?$")

# Archives that are not of the core, and single objects of the core that exist to be impure.
EDGE_ARCHIVES = {"libethnet_runtime.a", "libethnet_observe.a", "libethnet_lab.a", "libethnet_sim_file.a"}
EXCEPTED = {
    ("libethnet_base.a", "check.cpp"): "says which CHECK failed, as the last thing that a process does",
    ("libethnet_sim.a", "interpose"): "replaces the clock and the entropy of a simulated world",
    ("libethnet_store.a", "posix_file_system"): "the one object of the store that touches the operating system's files",
    ("libethnet_transport_quic.a", "counting_memory"): "stands in for malloc and free in ngtcp2, to count what it holds",
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
