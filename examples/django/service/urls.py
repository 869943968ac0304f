"""`GET /users?email=…` finds users, `POST /users` makes one."""

import json
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.urls import path
from reseal import ResealError

from service.models import User


def shown(user: Any) -> dict[str, Any]:
    """What a client sees."""
    return {"id": user.pk, "name": user.name, "email": user.email}


def users(request: HttpRequest) -> JsonResponse:
    """Both; what cannot be opened is answered with its code."""
    try:
        if request.method == "POST":
            given = json.loads(request.body)
            user = User.objects.create(name=given["name"], email=given["email"])
            return JsonResponse(shown(user), status=201)
        found = User.objects.filter(email=request.GET["email"]).order_by("pk")
        return JsonResponse([shown(user) for user in found], safe=False)
    except ResealError as error:
        return JsonResponse({"code": error.code}, status=500)


urlpatterns = [path("users", users)]
