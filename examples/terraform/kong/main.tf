# The founding case in Kong's open-source edition, with a database, and diag405 on the route that
# is looked into.

terraform {
  required_providers {
    kong = {
      source  = "kevholditch/kong"
      version = "6.5.1"
    }
  }
}

variable "admin" {
  type    = string
  default = "http://localhost:8001"
}

variable "weather" {
  type    = object({ host = string, port = number })
  default = { host = "weather", port = 8900 }
}

provider "kong" {
  kong_admin_uri = var.admin
}

resource "kong_service" "weather" {
  name     = "internal-weather-service"
  protocol = "http"
  host     = var.weather.host
  port     = var.weather.port
}

resource "kong_route" "send_weather" {
  name       = "internal-weather-route-POST"
  protocols  = ["http", "https"]
  methods    = ["POST"]
  paths      = ["/api/sendWeather"]
  service_id = kong_service.weather.id
}

resource "kong_plugin" "diag405" {
  name     = "diag405"
  route_id = kong_route.send_weather.id
  config_json = jsonencode({
    log_requests = "changed"
  })
}
