package examples

import (
	"slices"
	"strings"
)

// What Kubernetes and Kong's CRDs take of the manifests, as far as these use it: a field
// that is not here is refused. Kong's are those of kubernetes-configuration, in the chart
// that is named in values.yaml.

type meta struct {
	Name        string            `yaml:"name"`
	Namespace   string            `yaml:"namespace"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

type head struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string `yaml:"kind"`
	Metadata   meta   `yaml:"metadata"`
}

type secretRef struct {
	SecretKeyRef struct {
		Name, Key string
		Namespace string // of a KongClusterPlugin's only
	} `yaml:"secretKeyRef"`
}

// kongPlugin is a KongPlugin or a KongClusterPlugin.
type kongPlugin struct {
	head         `yaml:",inline"`
	Plugin       string         `yaml:"plugin"`
	InstanceName string         `yaml:"instance_name"`
	Disabled     bool           `yaml:"disabled"`
	Protocols    []string       `yaml:"protocols"`
	Config       map[string]any `yaml:"config"`
	ConfigFrom   *secretRef     `yaml:"configFrom"`
	ConfigPatch  []struct {
		Path      string    `yaml:"path"`
		ValueFrom secretRef `yaml:"valueFrom"`
	} `yaml:"configPatches"`
}

type ingress struct {
	head `yaml:",inline"`
	Spec struct {
		IngressClassName string `yaml:"ingressClassName"`
		Rules            []struct {
			Host string `yaml:"host"`
			HTTP struct {
				Paths []struct {
					Path     string `yaml:"path"`
					PathType string `yaml:"pathType"`
					Backend  struct {
						Service struct {
							Name string
							Port struct{ Number int }
						}
					}
				}
			} `yaml:"http"`
		}
	}
}

type httpRoute struct {
	head `yaml:",inline"`
	Spec struct {
		ParentRefs []struct{ Name, Namespace string } `yaml:"parentRefs"`
		Hostnames  []string
		Rules      []struct {
			Matches []struct {
				Path   struct{ Type, Value string }
				Method string
			}
			Filters []struct {
				Type         string
				ExtensionRef struct{ Group, Kind, Name string } `yaml:"extensionRef"`
			}
			BackendRefs []struct {
				Name string
				Port int
			} `yaml:"backendRefs"`
		}
	}
}

type execProbe struct {
	Exec *struct {
		Command []string
	}
	HTTPGet *struct {
		Path string
		Port string
	} `yaml:"httpGet"`
	PeriodSeconds    int `yaml:"periodSeconds"`
	TimeoutSeconds   int `yaml:"timeoutSeconds"`
	FailureThreshold int `yaml:"failureThreshold"`
}

type security struct {
	RunAsUser                int                     `yaml:"runAsUser"`
	RunAsGroup               int                     `yaml:"runAsGroup"`
	RunAsNonRoot             bool                    `yaml:"runAsNonRoot"`
	ReadOnlyRootFilesystem   bool                    `yaml:"readOnlyRootFilesystem"`
	AllowPrivilegeEscalation *bool                   `yaml:"allowPrivilegeEscalation"`
	Capabilities             struct{ Drop []string } `yaml:"capabilities"`
	SeccompProfile           struct{ Type string }   `yaml:"seccompProfile"`
}

type mount struct {
	Name      string
	MountPath string `yaml:"mountPath"`
}

type container struct {
	Name          string
	Image         string
	RestartPolicy string `yaml:"restartPolicy"`
	Args          []string
	Env           []struct{ Name, Value string }
	Ports         []struct {
		Name          string
		ContainerPort int `yaml:"containerPort"`
	}
	VolumeMounts   []mount    `yaml:"volumeMounts"`
	StartupProbe   *execProbe `yaml:"startupProbe"`
	LivenessProbe  *execProbe `yaml:"livenessProbe"`
	ReadinessProbe *execProbe `yaml:"readinessProbe"`
	Lifecycle      *struct {
		PreStop execProbe `yaml:"preStop"`
	}
	Resources struct{ Requests, Limits map[string]string }
	Security  security `yaml:"securityContext"`
}

type volume struct {
	Name      string
	ConfigMap *struct{ Name string } `yaml:"configMap"`
	EmptyDir  *struct {
		Medium    string
		SizeLimit string `yaml:"sizeLimit"`
	} `yaml:"emptyDir"`
}

type podSpec struct {
	Security                      security    `yaml:"securityContext"`
	TerminationGracePeriodSeconds int         `yaml:"terminationGracePeriodSeconds"`
	InitContainers                []container `yaml:"initContainers"`
	Containers                    []container
	Volumes                       []volume
}

type deployment struct {
	head `yaml:",inline"`
	Spec struct {
		Selector struct {
			MatchLabels map[string]string `yaml:"matchLabels"`
		}
		Template struct {
			Metadata meta
			Spec     podSpec
		}
	}
}

// service is a Service of Kubernetes.
type service struct {
	head `yaml:",inline"`
	Spec struct {
		Selector map[string]string
		Ports    []struct {
			Name       string
			Port       int
			TargetPort string `yaml:"targetPort"`
		}
	}
}

// values is what the files for the chart set of it.
type values struct {
	Image   struct{ Repository, Tag string }
	Env     map[string]string
	Plugins struct {
		PreInstalled string `yaml:"preInstalled"`
	}
	Deployment struct {
		Volumes        []volume    `yaml:"userDefinedVolumes"`
		Mounts         []mount     `yaml:"userDefinedVolumeMounts"`
		InitContainers []container `yaml:"initContainers"`
	}
}

// problems are what the controller or the CRD would refuse in a plugin.
func (k kongPlugin) problems() (out []string) {
	refuse := func(wrong bool, why string) {
		if wrong {
			out = append(out, why)
		}
	}
	cluster := k.Kind == "KongClusterPlugin"
	refuse(k.APIVersion != "configuration.konghq.com/v1", "apiVersion")
	refuse(k.Plugin == "", "no plugin")
	refuse(k.Config != nil && k.ConfigFrom != nil, "config beside configFrom")
	refuse(cluster && k.Metadata.Namespace != "", "a KongClusterPlugin has no namespace")
	refuse(cluster && k.Metadata.Annotations["kubernetes.io/ingress.class"] == "", "the controller passes over a KongClusterPlugin without its class")
	refuse(!cluster && k.Metadata.Labels["global"] != "", "only a KongClusterPlugin is global")
	known := []string{"http", "https", "grpc", "grpcs", "tcp", "tls", "udp"}
	refuse(slices.ContainsFunc(k.Protocols, func(p string) bool { return !slices.Contains(known, p) }), "protocols")
	for _, p := range k.ConfigPatch {
		ref := p.ValueFrom.SecretKeyRef
		refuse(!strings.HasPrefix(p.Path, "/"), "a patch's path is a JSON pointer")
		refuse(ref.Name == "" || ref.Key == "" || cluster != (ref.Namespace != ""), "a patch's secret")
	}
	return out
}
