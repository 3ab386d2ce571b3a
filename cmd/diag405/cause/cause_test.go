package cause

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"diag405/docs"
)

// No page keeps a link that a terminal cannot follow.
func TestPages(t *testing.T) {
	for language, command := range map[string]string{docs.English: "diag405 cause", docs.Chinese: "diag405 cause -lang zh-CN"} {
		also := regexp.MustCompile(`(?m)^    ` + command + ` [a-z-]+$`)
		links := 0
		for _, name := range docs.CauseNames() {
			page, err := page(language, name)
			require.NoError(t, err, name)
			assert.NotRegexp(t, `\]\(\S`, page, name)
			links += len(also.FindAllString(page, -1))
		}
		assert.Greater(t, links, len(docs.CauseNames()), "links in all pages, %s", language)
	}
}

// The command has its own words in every language of the pages.
func TestWords(t *testing.T) {
	for _, language := range docs.Languages() {
		assert.NotEmpty(t, words[language].because, language)
		assert.NotEmpty(t, words[language].also, language)
		assert.Contains(t, usage, language)
	}
}

func TestPreferred(t *testing.T) {
	tests := []struct {
		all, messages, lang string
		want                string
	}{
		{want: docs.English},
		{lang: "zh_CN.UTF-8", want: docs.Chinese},
		{lang: "zh_SG.utf8", want: docs.Chinese},
		{lang: "zh.UTF-8@pinyin", want: docs.Chinese},
		{lang: "zh_TW.UTF-8", want: docs.English},
		{lang: "zh_CN.GBK", want: docs.English},
		{lang: "zh_CN", want: docs.English},
		{messages: "zh_CN.UTF-8", lang: "de_DE.UTF-8", want: docs.Chinese},
		{messages: "C", lang: "zh_CN.UTF-8", want: docs.English},
		{all: "C.UTF-8", messages: "zh_CN.UTF-8", want: docs.English},
		{all: "zh_CN.UTF-8", messages: "C", lang: "C", want: docs.Chinese},
	}
	for _, tt := range tests {
		env := map[string]string{"LC_ALL": tt.all, "LC_MESSAGES": tt.messages, "LANG": tt.lang}
		assert.Equal(t, tt.want, preferred(func(name string) string { return env[name] }), env)
	}
}
