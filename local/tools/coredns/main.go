// CoreDNS with the few plugins that a machine needs: the cluster's names, and everything else from the host's resolver.
//
// The whole of CoreDNS brings the software kits of three clouds, which would double the time to build it.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/forward"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/loop"

	"github.com/coredns/coredns/coremain"
)

func init() {
	// The order in which a query passes the plugins, as CoreDNS's own plugin.cfg has it.
	dnsserver.Directives = []string{"bind", "errors", "cache", "kubernetes", "loop", "forward"}
}

func main() {
	coremain.Run()
}
