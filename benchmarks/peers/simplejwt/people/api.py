"""The API: Simple JWT's token views, and the two views that every project writes itself."""

from django.contrib.auth.password_validation import validate_password
from django.urls import path
from rest_framework import generics, permissions, serializers
from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView

from people.models import User


class UserSerializer(serializers.ModelSerializer):
    """A person, as the API shows and takes one."""

    password = serializers.CharField(write_only=True, validators=[validate_password])

    class Meta:
        """Where the fields come from."""

        model = User
        fields = ("id", "email", "password")

    def create(self, validated_data: dict[str, str]) -> User:
        """Go through the manager, which hashes the password."""
        return User.objects.create_user(**validated_data)


class SignUp(generics.CreateAPIView):
    """Open to everybody, and so without a look at tokens."""

    authentication_classes = ()
    permission_classes = (permissions.AllowAny,)
    serializer_class = UserSerializer


class Me(generics.RetrieveAPIView):
    """The person whose access token it is, whom JWTAuthentication has read from the database."""

    serializer_class = UserSerializer

    def get_object(self) -> User:
        """Answer nobody but the person who asks."""
        return self.request.user


urlpatterns = [
    path("api/token/", TokenObtainPairView.as_view(), name="token_obtain_pair"),
    path("api/token/refresh/", TokenRefreshView.as_view(), name="token_refresh"),
    path("api/users/", SignUp.as_view(), name="sign_up"),
    path("api/users/me/", Me.as_view(), name="me"),
]
