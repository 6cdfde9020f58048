package metrics

import "github.com/prometheus/client_golang/prometheus"

// mostSeries limits each metric that has one series per object: in an outage nobody reads fifty thousand of them, and the counts by
// kind stay complete.
const mostSeries = 3500

// series is a metric of objects in one particular state: one series for each, while it is in that state. Objects that have one
// keep it; those beyond the limit get one when another is removed.
type series struct {
	name    string
	desc    *prometheus.Desc
	most    int
	shown   map[Key]sample
	omitted map[Key]sample
}

type sample struct {
	value  float64
	labels []string
}

func newSeries(name, help string, more ...string) *series {
	labels := append([]string{"kind", "namespace", "name", "project"}, more...)
	return &series{
		name: name, desc: prometheus.NewDesc(name, help, labels, nil), most: mostSeries,
		shown: map[Key]sample{}, omitted: map[Key]sample{},
	}
}

func (s *series) set(key Key, project string, value float64, more ...string) {
	in := s.omitted
	if _, has := s.shown[key]; has || len(s.shown) < s.most {
		in = s.shown
	}
	in[key] = sample{value, append([]string{key.Kind, key.Namespace, key.Name, project}, more...)}
}

func (s *series) remove(key Key) {
	delete(s.shown, key)
	delete(s.omitted, key)
	for next, waiting := range s.omitted {
		if len(s.shown) >= s.most {
			return
		}
		delete(s.omitted, next)
		s.shown[next] = waiting
	}
}

func (s *series) collect(ch chan<- prometheus.Metric) {
	for _, is := range s.shown {
		ch <- gauge(s.desc, is.value, is.labels...)
	}
	ch <- gauge(descOmitted, float64(len(s.omitted)), s.name)
}
