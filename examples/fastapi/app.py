"""The application of the founding case: a weather service with three routes.

GET / is a health check. That is all it takes to turn a path that Kong stripped
down to / into a 405 for every POST.
"""

from fastapi import FastAPI
from pydantic import BaseModel


class Weather(BaseModel):
    location: str
    temperature: float


app = FastAPI(title="weather")
readings: dict[str, float] = {"Oslo": 4.0}


@app.get("/")
def health():
    return {"status": "ok"}


@app.get("/api/getWeather/{location}")
def get_weather(location: str):
    return {"location": location, "temperature": readings.get(location)}


@app.post("/api/sendWeather")
def send_weather(weather: Weather):
    readings[weather.location] = weather.temperature
    return {"saved": True}
