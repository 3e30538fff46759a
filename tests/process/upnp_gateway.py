"""A gateway that speaks UPnP (Internet Gateway Device) on loopback, for tests: it is searched for, describes itself and maps ports."""

import http.server
import re
import socket
import struct
import threading

GROUP = ("239.255.255.250", 1900)
CONNECTION = "urn:schemas-upnp-org:service:WANIPConnection:1"
DEVICE = "urn:schemas-upnp-org:device:InternetGatewayDevice:1"
DESCRIPTION = f"""<?xml version="1.0"?>
<root xmlns="urn:schemas-upnp-org:device-1-0"><specVersion><major>1</major><minor>0</minor></specVersion>
<device><deviceType>{DEVICE}</deviceType><friendlyName>gateway</friendlyName><deviceList>
<device><deviceType>urn:schemas-upnp-org:device:WANDevice:1</deviceType><serviceList>
<service><serviceType>urn:schemas-upnp-org:service:WANCommonInterfaceConfig:1</serviceType>
<serviceId>urn:upnp-org:serviceId:WANCommonIFC1</serviceId><controlURL>/common</controlURL><eventSubURL>/events</eventSubURL>
<SCPDURL>/scpd.xml</SCPDURL></service></serviceList><deviceList>
<device><deviceType>urn:schemas-upnp-org:device:WANConnectionDevice:1</deviceType><serviceList>
<service><serviceType>{CONNECTION}</serviceType><serviceId>urn:upnp-org:serviceId:WANIPConn1</serviceId>
<controlURL>/control</controlURL><eventSubURL>/events</eventSubURL><SCPDURL>/scpd.xml</SCPDURL></service>
</serviceList></device></deviceList></device></deviceList></device></root>"""


class UpnpGateway:
    """`mappings`: internal port and lease in seconds, by external port; `clients`: whose each is. What it does otherwise is set before it is asked."""

    def __init__(self, external="60.1.1.11"):
        self.external = external
        self.description = DESCRIPTION
        self.takes_same = False  # whatever port a host asks for as its own is another host's
        self.only_permanent = False
        self.refuses = None  # an error code for every mapping
        self.hold = threading.Event()  # where it is cleared, who asks for a mapping waits
        self.hold.set()
        self.keeps = 0  # so many requests to delete a mapping fail
        self.mappings = {}
        self.clients = {}
        self.given_back = []
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}/igd.xml"
        self.search = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.search.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.search.bind(GROUP)
        membership = struct.pack("4s4s", socket.inet_aton(GROUP[0]), socket.inet_aton("127.0.0.1"))
        self.search.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        self.search.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
        self.closing = False
        self.threads = [threading.Thread(target=run, daemon=True) for run in (self.server.serve_forever, self._answer_searches)]
        for thread in self.threads:
            thread.start()

    def close(self):
        self.closing = True
        self.hold.set()
        self.search.sendto(b"", GROUP)
        self.server.shutdown()
        for thread in self.threads:
            thread.join()
        self.server.server_close()
        self.search.close()

    def _answer_searches(self):
        while not self.closing:
            question, sender = self.search.recvfrom(2048)
            wanted = re.search(rb"(?im)^ST:\s*(\S+)", question)
            if wanted is None or wanted[1].decode() not in (DEVICE, "upnp:rootdevice", "ssdp:all"):
                continue
            answer = f"HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nEXT:\r\nLOCATION: {self.url}\r\nST: {DEVICE}\r\nUSN: uuid:1::{DEVICE}\r\n\r\n"
            self.search.sendto(answer.encode(), sender)

    def _map(self, told):
        port, lease = int(told("NewExternalPort")), int(told("NewLeaseDuration"))
        self.hold.wait()
        if self.refuses is not None:
            return self.refuses, ""
        if self.only_permanent and lease != 0:
            return 725, ""
        if self.takes_same and port == int(told("NewInternalPort")):
            return 718, ""
        self.mappings[port] = (int(told("NewInternalPort")), lease)
        self.clients[port] = told("NewInternalClient")
        return 0, ""

    def move(self):
        """From now on whoever looks for a gateway here finds another one, which has nobody's mappings."""
        self.description = DESCRIPTION.replace("/control<", "/another<")

    def _entry(self, port):
        if port not in self.mappings:
            return 714, ""
        internal, lease = self.mappings[port]
        return 0, (f"<NewInternalPort>{internal}</NewInternalPort><NewInternalClient>{self.clients[port]}</NewInternalClient><NewEnabled>1</NewEnabled>"
                   f"<NewPortMappingDescription>one</NewPortMappingDescription><NewLeaseDuration>{lease}</NewLeaseDuration>")

    def _act(self, action, told):
        """The error code of an action, or 0; and what it answers."""
        if action == "GetStatusInfo":
            return 0, "<NewConnectionStatus>Connected</NewConnectionStatus><NewLastConnectionError>ERROR_NONE</NewLastConnectionError><NewUptime>1</NewUptime>"
        if action == "GetExternalIPAddress":
            return 0, f"<NewExternalIPAddress>{self.external}</NewExternalIPAddress>"
        if action == "AddPortMapping" and told("NewProtocol") == "UDP":
            return self._map(told)
        if action == "GetSpecificPortMappingEntry":
            return self._entry(int(told("NewExternalPort")))
        if action == "DeletePortMapping":
            if self.keeps:
                self.keeps -= 1
                return 501, ""
            self.given_back.append(int(told("NewExternalPort")))
            self.mappings.pop(self.given_back[-1], None)
            return 0, ""
        return 401, ""  # Invalid Action: WANIPConnection:1 knows no AddAnyPortMapping

    def _handler(self):
        gateway = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def answer(self, status, text):
                body = text.encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/xml")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                self.answer(200 if self.path == "/igd.xml" else 404, gateway.description)

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                action = self.headers["SOAPAction"].strip('"').rpartition("#")[2]
                of_another = self.path == "/another" and action in ("GetSpecificPortMappingEntry", "DeletePortMapping")
                code, said = (714, "") if of_another else gateway._act(action, lambda name: re.search(rf"<{name}>([^<]*)<", body)[1])
                inside = f'<u:{action}Response xmlns:u="{CONNECTION}">{said}</u:{action}Response>'
                if code:
                    inside = ("<s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail>"
                              f'<UPnPError xmlns="urn:schemas-upnp-org:control-1-0"><errorCode>{code}</errorCode></UPnPError></detail></s:Fault>')
                self.answer(500 if code else 200, '<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" '
                            f's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>{inside}</s:Body></s:Envelope>')

        return Handler
