# Sourced: starts an nginx in "$work" that reads each body whole and then answers, on 127.0.0.1:$port (and $port + 1), and a profile for it.
nginx_pid=""
cleanup() { [ -z "$nginx_pid" ] || kill "$nginx_pid" 2>/dev/null || true; rm -rf "$work"; }
trap cleanup EXIT
# Started by root, nginx works as another user, which must get to its folders.
chmod 755 "$work"

cat > "$work/nginx.conf" <<CONF
daemon off; worker_processes 1; pid $work/nginx.pid; error_log $work/error.log error;
events { worker_connections 1024; }
http {
  access_log off; client_body_temp_path $work/b; proxy_temp_path $work/p;
  fastcgi_temp_path $work/f; uwsgi_temp_path $work/u; scgi_temp_path $work/s;
  client_max_body_size 0; client_body_buffer_size 1m; keepalive_requests 100000000;
  upstream answer { server 127.0.0.1:$((port + 1)); keepalive 64; keepalive_requests 100000000; }
  server { listen 127.0.0.1:$port;
    location / { proxy_pass http://answer; proxy_pass_request_body off; proxy_set_header Content-Length "";
                 proxy_http_version 1.1; proxy_set_header Connection ""; } }
  server { listen 127.0.0.1:$((port + 1)); location / { return 200 "accepted 0001\n"; } }
}
CONF
nginx -c "$work/nginx.conf" -e "$work/error.log" & nginx_pid=$!
for _ in $(seq 50); do curl -fsS -o /dev/null "http://127.0.0.1:$port/" 2>/dev/null && break; sleep 0.1; done
cat > "$work/sink.toml" <<TOML
name = "sink"
[target]
url = "http://127.0.0.1:$port/upload"
[oracle]
proof = "marker"
status = [200]
body = { contains = "accepted 0001" }
[pace]
rate = "unlimited"
concurrency = 16
canary_every = 0
[guard]
environment = "lab"
TOML
