"""The API: allauth's own for accounts and tokens, and one view of the project's."""

from allauth.headless.contrib.rest_framework.authentication import JWTTokenAuthentication
from django.urls import include, path
from rest_framework import permissions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


class Me(APIView):
    """The person whose access token it is, as "Securing Your API Endpoints" shows a view."""

    authentication_classes = (JWTTokenAuthentication,)
    permission_classes = (permissions.IsAuthenticated,)

    def get(self, request: Request) -> Response:
        """Answer the person, who is read from the database here."""
        return Response({"id": request.user.pk, "email": request.user.email})


urlpatterns = [
    path("_allauth/", include("allauth.headless.urls")),
    path("api/me", Me.as_view(), name="me"),
]
