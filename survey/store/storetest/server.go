package storetest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// server is a running PostgreSQL that nobody else uses.
type server struct {
	url string
	// alive keeps the watchdog's input open. A pipe that the garbage collector
	// finds unused is closed, and the server with it.
	alive io.WriteCloser
}

// watchdog makes and runs a server ($1 its programs, $2 its folder) until its
// own input ends. The input is a pipe from the test process, so it ends with
// that process in whatever way that ends: by its own will, by a panic, by a
// kill. Durability is off: the data is thrown away.
const watchdog = `
trap '' PIPE
stop() { "$1/pg_ctl" stop -s -D "$2/data" -m immediate; rm -rf "$2"; }
{
	"$1/initdb" -D "$2/data" -U koe --auth=trust --encoding=UTF8 --locale=C --no-sync &&
	"$1/pg_ctl" start -w -t 120 -D "$2/data" -l "$2/log" -o "-k $2 -c listen_addresses='' \
		-c fsync=off -c synchronous_commit=off -c full_page_writes=off \
		-c max_connections=400 -c shared_buffers=64MB"
} >>"$2/log" 2>&1 || exit 1
trap 'stop "$1" "$2"' EXIT
echo ready
read -r _
`

// startServer starts a private server on a socket in a folder of its own,
// without TCP, and returns when it takes connections.
func startServer() (*server, error) {
	programs, err := serverPrograms()
	if err != nil {
		return nil, err
	}
	who, err := unprivileged()
	if err != nil {
		return nil, err
	}
	// Not the usual temp folder: a socket's path may have 107 bytes at most,
	// and a folder of root's own would be closed to the server's user.
	dir, err := os.MkdirTemp("/tmp", "koe-pg-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the server: %w", err)
	}
	if who != nil {
		if err := os.Chown(dir, int(who.Uid), int(who.Gid)); err != nil {
			return nil, errors.Join(fmt.Errorf("hand over the server's folder: %w", err), os.RemoveAll(dir))
		}
	}
	alive, err := watch(programs, dir, who)
	if err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "log")) // says more than err, where it exists
		return nil, errors.Join(fmt.Errorf("start the server: %w\n%s", err, log), os.RemoveAll(dir))
	}
	return &server{url: "postgres://koe@/postgres?sslmode=disable&host=" + dir, alive: alive}, nil
}

// watch starts the watchdog and waits until it reports that the server runs.
// Closing what it returns stops the server.
func watch(programs, dir string, who *syscall.Credential) (io.WriteCloser, error) {
	cmd := exec.Command("sh", "-c", watchdog, "sh", programs, dir)
	cmd.Dir = dir
	// A group of its own, so that ^C at the terminal does not end the watchdog
	// before it has cleaned up.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: who}
	alive, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		return nil, cmd.Wait()
	}
	return alive, nil
}

// serverPrograms is the folder that holds initdb and the server.
func serverPrograms() (string, error) {
	places := filepath.SplitList(os.Getenv("PATH"))
	packaged, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	places = append(append(places, packaged...), "/usr/local/bin", "/usr/local/pgsql/bin")
	for _, place := range places {
		// Some put links to a few programs into the PATH; the rest lies beside
		// what they point to.
		initdb, err := filepath.EvalSymlinks(filepath.Join(place, "initdb"))
		if err != nil {
			continue
		}
		if _, err := exec.LookPath(filepath.Join(filepath.Dir(initdb), "postgres")); err == nil {
			return filepath.Dir(initdb), nil
		}
	}
	return "", errors.New("no server programs on this machine; install postgresql")
}

// unprivileged is the user to run the server as: nil for ourselves, somebody
// else where we are root, whom PostgreSQL refuses.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	names := []string{"postgres", "nobody"}
	for _, name := range names {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("user %s: %w", name, err)
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("user %s: %w", name, err)
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, fmt.Errorf("no user to run the server as: looked for %s", strings.Join(names, ", "))
}
