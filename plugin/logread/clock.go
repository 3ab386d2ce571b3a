package logread

import (
	"time"
)

// clock reads times of logs as seconds since 1970. Neighbouring lines have the same
// minute, and taking that apart is what takes time.
type clock struct {
	zone   *time.Location // of times that name none
	minute [2]string      // of nginx's two logs, as they were written
	unix   [2]int64       // when it began
}

// errorLog reads the error log's 2026/11/23 08:06:03, which is in the host's zone; 0 for
// what is no time.
func (c *clock) errorLog(s []byte) int64 {
	const minute = len("2026/11/23 08:06")
	if len(s) != len("2026/11/23 08:06:03") {
		return 0
	}
	if string(s[:minute]) != c.minute[0] {
		t, err := time.ParseInLocation("2006/01/02 15:04", string(s[:minute]), c.zone)
		if err != nil {
			return 0
		}
		c.minute[0], c.unix[0] = string(s[:minute]), t.Unix()
	}
	return c.unix[0] + seconds(s[minute+1:])
}

// accessLog reads the access log's 23/Nov/2026:08:06:03 +0000.
func (c *clock) accessLog(s []byte) int64 {
	const minute, second = len("23/Nov/2026:08:06"), len("23/Nov/2026:08:06:03")
	if len(s) != len(accessTime) {
		return 0
	}
	// The zone is part of what makes a minute.
	if k := c.minute[1]; k == "" || k[:minute] != string(s[:minute]) || k[minute:] != string(s[second:]) {
		k = string(s[:minute]) + string(s[second:])
		t, err := time.Parse("02/Jan/2006:15:04 -0700", k)
		if err != nil {
			return 0
		}
		c.minute[1], c.unix[1] = k, t.Unix()
	}
	return c.unix[1] + seconds(s[minute+1:])
}

// rfc3339 reads the time of a container's log; 0 for what is no time.
func (c *clock) rfc3339(s []byte) int64 {
	t, err := time.Parse(time.RFC3339Nano, string(s))
	if err != nil {
		return 0
	}
	return t.Unix()
}

func seconds(s []byte) int64 { return int64(s[0]-'0')*10 + int64(s[1]-'0') }
