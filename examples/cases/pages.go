package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"strings"
)

// failure is an error to write a page about.
type failure struct {
	status               int
	method, path, server string
}

// text is the status in words.
func (f failure) text() string { return http.StatusText(f.status) }

// page is the body of an answer.
type page struct{ kind, body string }

// errorPage is the body of a 404 or 405 as the framework writes it.
func (f family) errorPage(e failure) page {
	if f.page == nil {
		return page{"text/plain; charset=utf-8", e.text()}
	}
	return f.page(e)
}

func emptyPage(failure) page { return page{} }

func emptyHTML(failure) page { return page{kind: "text/html; charset=utf-8"} }

func jsonPage(fields any) page {
	data, err := json.Marshal(fields)
	if err != nil {
		panic("bug: a page that JSON cannot have: " + err.Error())
	}
	return page{"application/json", string(data)}
}

func detailPage(e failure) page {
	return jsonPage(map[string]string{"detail": e.text()})
}

func echoPage(e failure) page {
	return jsonPage(map[string]string{"message": e.text()})
}

func messagePage(e failure) page {
	text := e.text()
	return jsonPage(map[string]string{"message": text[:1] + strings.ToLower(text[1:])})
}

func fastifyPage(e failure) page {
	message := fmt.Sprintf("Route %s:%s not found", e.method, e.path)
	if e.status != http.StatusNotFound {
		message = e.text()
	}
	return jsonPage(map[string]any{"statusCode": e.status, "error": e.text(), "message": message})
}

func springPage(e failure) page {
	return jsonPage(map[string]any{
		"timestamp": "2024-01-01T00:00:00.000+00:00", "status": e.status, "error": e.text(), "path": e.path,
	})
}

func laravelPage(e failure) page {
	message := "The route " + strings.TrimPrefix(e.path, "/") + " could not be found."
	if e.status == http.StatusMethodNotAllowed {
		message = fmt.Sprintf("The %s method is not supported for route %s.", e.method, strings.TrimPrefix(e.path, "/"))
	}
	return jsonPage(map[string]string{"message": message})
}

func goPage(e failure) page {
	text := "404 page not found\n"
	if e.status != http.StatusNotFound {
		text = e.text() + "\n"
	}
	return page{"text/plain; charset=utf-8", text}
}

func ginPage(e failure) page {
	text := "404 page not found"
	if e.status == http.StatusMethodNotAllowed {
		text = "405 method not allowed"
	}
	return page{"text/plain", text}
}

func aiohttpPage(e failure) page {
	return page{"text/plain; charset=utf-8", fmt.Sprintf("%d: %s", e.status, e.text())}
}

func expressPage(e failure) page {
	text := e.text()
	if e.status == http.StatusNotFound {
		text = "Cannot " + e.method + " " + e.path
	}
	return page{"text/html; charset=utf-8", "<!DOCTYPE html>\n<html lang=\"en\">\n<body>\n<pre>" + html.EscapeString(text) + "</pre>\n</body>\n</html>\n"}
}

func flaskPage(e failure) page {
	text := "The requested URL was not found on the server."
	if e.status == http.StatusMethodNotAllowed {
		text = "The method is not allowed for the requested URL."
	}
	title := e.text()
	return page{"text/html; charset=utf-8", fmt.Sprintf(
		"<!doctype html>\n<html lang=en>\n<title>%d %s</title>\n<h1>%s</h1>\n<p>%s</p>\n", e.status, title, title, text)}
}

// nginxPage has nginx's own words for the statuses.
func nginxPage(e failure) page {
	text := e.text()
	if e.status == http.StatusMethodNotAllowed {
		text = "Not Allowed"
	}
	title := fmt.Sprintf("%d %s", e.status, text)
	return page{"text/html", fmt.Sprintf(
		"<html>\r\n<head><title>%s</title></head>\r\n<body>\r\n<center><h1>%s</h1></center>\r\n<hr><center>%s</center>\r\n</body>\r\n</html>\r\n",
		title, title, cmp.Or(e.server, "nginx"))}
}

func apachePage(e failure) page {
	text := "The requested URL was not found on this server."
	if e.status == http.StatusMethodNotAllowed {
		text = "The requested method " + html.EscapeString(e.method) + " is not allowed for this URL."
	}
	title := e.text()
	return page{"text/html; charset=iso-8859-1", fmt.Sprintf(
		"<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<html><head>\n<title>%d %s</title>\n</head><body>\n<h1>%s</h1>\n<p>%s</p>\n</body></html>\n",
		e.status, title, title, text)}
}

func tomcatPage(e failure) page {
	title := fmt.Sprintf("HTTP Status %d – %s", e.status, e.text())
	return page{"text/html;charset=utf-8", "<!doctype html><html lang=\"en\"><head><title>" + title + "</title></head><body><h1>" + title + "</h1></body></html>"}
}

func jettyPage(e failure) page {
	title := fmt.Sprintf("Error %d %s", e.status, e.text())
	return page{"text/html;charset=iso-8859-1", "<html>\n<head>\n<title>" + title + "</title>\n</head>\n<body><h2>HTTP ERROR " +
		fmt.Sprint(e.status) + "</h2>\n<p>URI: " + html.EscapeString(e.path) + "</p>\n</body>\n</html>\n"}
}

func iisPage(e failure) page {
	text := "404 - File or directory not found."
	if e.status == http.StatusMethodNotAllowed {
		text = "405 - HTTP verb used to access this page is not allowed."
	}
	return page{"text/html", "<!DOCTYPE html>\r\n<html><head><title>" + text + "</title></head><body><h2>" + text + "</h2></body></html>\r\n"}
}

func s3Page(e failure) page {
	code, message := "NoSuchKey", "The specified key does not exist."
	if e.status == http.StatusMethodNotAllowed {
		code, message = "MethodNotAllowed", "The specified method is not allowed against this resource."
	}
	return page{"application/xml", fmt.Sprintf(
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>%s</Code><Message>%s</Message><Method>%s</Method><ResourceType>OBJECT</ResourceType></Error>",
		code, message, html.EscapeString(e.method))}
}

func cloudfrontPage(e failure) page {
	return page{"text/html", fmt.Sprintf(
		"<HTML><HEAD><TITLE>ERROR: The request could not be satisfied</TITLE></HEAD><BODY>\n<H1>%d ERROR</H1>\n<H2>The request could not be satisfied.</H2>\n</BODY></HTML>\n", e.status)}
}
