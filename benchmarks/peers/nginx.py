"""nginx's configurations: with nchan as a fan-out server, and as an unbuffered reverse proxy."""

from __future__ import annotations

import shutil
from pathlib import Path

NCHAN_PLACES = (
    "/usr/lib/nginx/modules/ngx_nchan_module.so",
    "/usr/lib64/nginx/modules/ngx_nchan_module.so",
    "/usr/local/lib/nginx/modules/ngx_nchan_module.so",
)

_FRAME = """daemon off; master_process off; worker_processes 1;
worker_rlimit_nofile {descriptors}; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
{modules}
events {{ worker_connections {connections}; }}
http {{ access_log off; keepalive_timeout 1h; keepalive_requests 100000000;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  map $http_upgrade $kept {{ default upgrade; '' ''; }}
  server {{ listen 127.0.0.1:{port} backlog=4096;
{locations}
  }} }}
"""
_NCHAN = """    nchan_message_buffer_length 100;
    location = /sub { nchan_subscriber; nchan_channel_id bench;
      nchan_subscriber_first_message newest; }
    location = /pub { nchan_publisher; nchan_channel_id bench; }"""
_PROXY = """    location / {{ proxy_pass http://127.0.0.1:{backend}; proxy_http_version 1.1;
      proxy_buffering off; proxy_read_timeout 1h;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $kept; }}"""


def nchan_module() -> str:
    """Where nchan's module is; empty where it isn't."""
    return next((place for place in NCHAN_PLACES if Path(place).is_file()), "")


def missing_nginx() -> str:
    """Why nginx can't run; empty where it can."""
    return "" if shutil.which("nginx") else "nginx is not installed"


def missing_nchan() -> str:
    """Why nchan can't run; empty where it can."""
    return missing_nginx() or ("" if nchan_module() else "nginx lacks its nchan module")


def nchan(folder: Path, port: int, descriptors: int) -> list[str]:
    """The command of a fan-out server with `/sub` and `/pub`."""
    module = f"load_module {nchan_module()};"
    return _command(folder, port, descriptors, module, _NCHAN)


def proxy(folder: Path, port: int, backend: int, descriptors: int) -> list[str]:
    """The command of a reverse proxy."""
    return _command(folder, port, descriptors, "", _PROXY.format(backend=backend))


def _command(folder: Path, port: int, descriptors: int, modules: str, locations: str) -> list[str]:
    file = folder / f"nginx-{port}.conf"
    file.write_text(
        _FRAME.format(
            folder=folder,
            port=port,
            descriptors=descriptors,
            connections=descriptors - 100,
            modules=modules,
            locations=locations,
        )
    )
    return ["nginx", "-e", str(folder / "nginx.log"), "-c", str(file)]
