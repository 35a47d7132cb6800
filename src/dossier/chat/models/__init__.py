"""Tables of chat: people and personas, rooms, messages, shares."""

from dossier.chat.models.message import ChatAttachment as ChatAttachment
from dossier.chat.models.message import ChatFeedback as ChatFeedback
from dossier.chat.models.message import ChatMessage as ChatMessage
from dossier.chat.models.people import ChatProfile as ChatProfile
from dossier.chat.models.people import VirtualUser as VirtualUser
from dossier.chat.models.room import ChatMember as ChatMember
from dossier.chat.models.room import ChatRoom as ChatRoom
from dossier.chat.models.room import ChatRoomPersona as ChatRoomPersona
from dossier.chat.models.share import ChatShare as ChatShare
